//! A gateway that puts bytes of GBK, which is no UTF-8, into its headers: its 200 is ACKed and the call goes on.

use crate::daemon::{Setup, Site, until};
use crate::sipp::Sipp;
use crate::trial::{self, Trial};

const CALLS: u32 = 5;

#[test]
fn a_200_with_gbk_in_its_headers_is_acked_and_the_call_goes_on() {
    let site = Site::new(&Setup::default());
    Trial::default().write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", CALLS)));
    site.import("trial", &site.path("list.csv"));
    let mut sipp = Sipp::start(&site, "gbk.xml", Some(CALLS));
    let daemon = site.serve(&[]);
    // It waits for an ACK and for the 200 to its BYE, and would say 1 if one had not come.
    assert_eq!(sipp.process().wait().code(), Some(0), "{}", sipp.process().log());
    until("all are closed", || site.number("SELECT count(*) FROM attempt WHERE state = 'done'") == i64::from(CALLS));
    let heard = "SELECT count(*) FROM outcome WHERE t_answered IS NOT NULL AND sip_status = 200
        AND released_by = 'them' AND t_ended - t_answered BETWEEN 900000 AND 30000000";
    let ends =
        site.texts::<3>("SELECT result, coalesce(released_by, ''), cast(coalesce(sip_status, 0) AS text) FROM outcome");
    assert_eq!(site.number(heard), i64::from(CALLS), "{ends:?}");
    assert_eq!(sipp.calls().1, CALLS as usize);
    assert!(daemon.metric("goldenhour_rtp_packets_total", &["direction=\"out\""]) > 100.0, "no prompt was heard");
    daemon.stop();
}
