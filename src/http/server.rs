//! A listener and its end: bind early and say what is wrong, serve until told to stop.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error(
        "cannot listen on {address} (`{key}`): {why}; is another daemon running, or is the address not this machine's?"
    )]
    Bind { key: &'static str, address: SocketAddr, why: std::io::Error },
    #[error("the listener failed: {0}")]
    Serve(#[from] std::io::Error),
}

/// `key` is the configuration's word for it, for the message.
pub async fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, HttpError> {
    TcpListener::bind(address).await.map_err(|why| HttpError::Bind { key, address, why })
}

/// Until `stop` turns true or its sender is gone; then requests under way are answered, and idle connections closed.
pub async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) -> Result<(), HttpError> {
    let stopped = async move {
        // An error means that the sender is gone, which is a stop as well.
        let _stopped = stop.wait_for(|stopped| *stopped).await;
    };
    axum::serve(listener, router).with_graceful_shutdown(stopped).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::base::Tick;
    use crate::http::{Check, Health, api, metrics};
    use crate::obs::Metrics;

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn listening() -> (TcpListener, SocketAddr) {
        let listener = bind("http.listen", SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn health_is_told_over_http_until_the_stop() {
        let (listener, address) = listening().await;
        let health = Health::new(|| Tick(0), Metrics::new().unwrap());
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, api(health.clone(), None), stopped));
        assert!(get(address, "/livez").await.starts_with("HTTP/1.1 200"));
        let answer = get(address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(r#""store":"starting""#), "{answer}");
        for check in Check::ALL {
            health.ready(check);
        }
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/").await.contains("/readyz"));
        assert!(get(address, "/admin").await.starts_with("HTTP/1.1 404"));
        stop.send(true).unwrap();
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_engine_that_hangs_fails_livez() {
        let (listener, address) = listening().await;
        let health = Health::new(|| Tick(60_000_000), Metrics::new().unwrap());
        health.beat(Tick(0));
        let (_stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, api(health, None), stopped));
        let answer = get(address, "/livez").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("silent for 60 s"), "{answer}");
        server.abort();
    }

    #[tokio::test]
    async fn metrics_are_scraped_in_text_format() {
        let (listener, address) = listening().await;
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, metrics(Metrics::new().unwrap()), stopped));
        let answer = get(address, "/metrics").await;
        assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
        assert!(answer.contains("goldenhour_build_info{version="), "{answer}");
        drop(stop);
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_address_in_use_names_its_key() {
        let (_listener, address) = listening().await;
        let shown = bind("metrics.listen", address).await.unwrap_err().to_string();
        assert!(shown.contains("metrics.listen") && shown.contains(&address.to_string()), "{shown}");
    }
}
