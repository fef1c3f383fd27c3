//! Reads a prompt: WAV, 8 kHz, 16-bit, mono, or an error that says what was found and how to convert it.

use hound::{SampleFormat, WavReader};

pub const PROMPT_RATE_HZ: u32 = 8_000;

/// Longer prompts are refused: nobody listens for ten minutes, and every sample stays in memory.
pub const PROMPT_MAX_SECONDS: u32 = 600;

const CONVERT: &str =
    "convert it with `sox IN.wav -r 8000 -b 16 -c 1 OUT.wav` or `ffmpeg -i IN -ar 8000 -ac 1 -c:a pcm_s16le OUT.wav`";

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    #[error("not a WAV file that can be read ({0}); {CONVERT}")]
    NotWav(String),
    #[error("the prompt is {rate_hz} Hz, {bits}-bit{}, {channels} channel(s), not 8000 Hz, 16-bit, mono; {CONVERT}",
        if *float { " float" } else { "" })]
    Format { rate_hz: u32, bits: u16, channels: u16, float: bool },
    #[error("the prompt holds no sound")]
    Empty,
    #[error("the prompt lasts {seconds} s, more than {PROMPT_MAX_SECONDS} s")]
    TooLong { seconds: u32 },
    #[error("the file ends before its header says it does; {CONVERT}")]
    Truncated,
}

/// All samples of the file.
pub fn read_prompt(bytes: &[u8]) -> Result<Vec<i16>, WavError> {
    let reader = WavReader::new(bytes).map_err(|error| WavError::NotWav(error.to_string()))?;
    let spec = reader.spec();
    let float = spec.sample_format == SampleFormat::Float;
    if float || spec.sample_rate != PROMPT_RATE_HZ || spec.bits_per_sample != 16 || spec.channels != 1 {
        let (rate_hz, bits, channels) = (spec.sample_rate, spec.bits_per_sample, spec.channels);
        return Err(WavError::Format { rate_hz, bits, channels, float });
    }
    match reader.len() {
        0 => return Err(WavError::Empty),
        long if long > PROMPT_MAX_SECONDS * PROMPT_RATE_HZ => {
            return Err(WavError::TooLong { seconds: long / PROMPT_RATE_HZ });
        }
        _ => {}
    }
    reader.into_samples::<i16>().collect::<Result<_, _>>().map_err(|_| WavError::Truncated)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::base::Rng;

    fn wav(rate: u32, bits: u16, channels: u16, samples: &[i16]) -> Vec<u8> {
        let spec =
            hound::WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: SampleFormat::Int };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for &sample in samples {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn samples_read_back_as_written() {
        assert_eq!(read_prompt(&wav(8_000, 16, 1, &[1, -2, i16::MIN])), Ok(vec![1, -2, i16::MIN]));
    }

    #[test]
    fn a_sample_prompt_reads() {
        let pcm = read_prompt(include_bytes!("../../campaigns/prompts/goodbye.wav")).unwrap();
        assert!(pcm.len() > 8_000 && pcm.iter().any(|&s| s.abs() > 8_000));
    }

    #[test]
    fn another_format_is_refused_with_what_was_found_and_the_command() {
        for (rate, bits, channels) in [(16_000, 16, 1), (8_000, 8, 1), (8_000, 16, 2)] {
            let error = read_prompt(&wav(rate, bits, channels, &[1, 2])).unwrap_err();
            assert_eq!(error, WavError::Format { rate_hz: rate, bits, channels, float: false });
            let text = error.to_string();
            assert!(text.contains(&format!("{rate} Hz, {bits}-bit, {channels} channel")), "{text}");
            assert!(text.contains("sox IN.wav -r 8000 -b 16 -c 1") && text.contains("ffmpeg -i IN"));
        }
    }

    #[test]
    fn text_nothing_half_a_file_and_an_hour_are_refused() {
        assert!(matches!(read_prompt(b"RIFFnothing"), Err(WavError::NotWav(_))));
        assert_eq!(read_prompt(&wav(8_000, 16, 1, &[])), Err(WavError::Empty));
        let whole = wav(8_000, 16, 1, &[5; 100]);
        assert_eq!(read_prompt(&whole[..whole.len() - 10]), Err(WavError::Truncated));
        let mut long = whole;
        let data = long.windows(4).position(|w| w == b"data").unwrap() + 4;
        long[data..data + 4].copy_from_slice(&(16_000u32 * 3_600).to_le_bytes());
        assert_eq!(read_prompt(&long), Err(WavError::TooLong { seconds: 3_600 }));
    }

    #[test]
    fn mutated_files_never_panic_nor_yield_more_than_they_hold() {
        let (whole, mut rng) = (wav(8_000, 16, 1, &[3; 40]), Rng::seeded(11));
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=rng.below(4) {
                let at = rng.below(bytes.len() as u32) as usize;
                bytes[at] = rng.u32() as u8;
            }
            bytes.truncate(rng.below(bytes.len() as u32 + 1) as usize);
            assert!(read_prompt(&bytes).map_or(0, |pcm| pcm.len()) <= bytes.len());
        }
    }
}
