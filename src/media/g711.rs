//! G.711 A-law and µ-law: the two companding laws every telephone network speaks.

/// Which law. The static RTP payload types are those of RFC 3551, table 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// A-law: China, Europe, most of the world.
    #[default]
    Pcma,
    /// µ-law: North America and Japan.
    Pcmu,
}

static A_DECODE: [i16; 256] = decode_table(Codec::Pcma);
static U_DECODE: [i16; 256] = decode_table(Codec::Pcmu);

impl Codec {
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    pub const fn from_payload_type(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            _ => None,
        }
    }

    /// The octet of a zero sample.
    pub const fn silence(self) -> u8 {
        self.encode(0)
    }

    /// One 16-bit sample to one octet, by the algorithm of ITU-T G.191 (`alaw_compress`, `ulaw_compress`).
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Pcma => encode_a(sample),
            Self::Pcmu => encode_u(sample),
        }
    }

    pub fn decode(self, octet: u8) -> i16 {
        self.table()[usize::from(octet)]
    }

    /// Encodes as many samples as both slices hold; returns how many.
    pub fn encode_into(self, pcm: &[i16], octets: &mut [u8]) -> usize {
        match self {
            Self::Pcma => pcm.iter().zip(octets.iter_mut()).for_each(|(&s, o)| *o = encode_a(s)),
            Self::Pcmu => pcm.iter().zip(octets.iter_mut()).for_each(|(&s, o)| *o = encode_u(s)),
        }
        pcm.len().min(octets.len())
    }

    /// Decodes as many octets as both slices hold; returns how many.
    pub fn decode_into(self, octets: &[u8], pcm: &mut [i16]) -> usize {
        let table = self.table();
        octets.iter().zip(pcm.iter_mut()).for_each(|(&o, s)| *s = table[usize::from(o)]);
        octets.len().min(pcm.len())
    }

    fn table(self) -> &'static [i16; 256] {
        match self {
            Self::Pcma => &A_DECODE,
            Self::Pcmu => &U_DECODE,
        }
    }
}

/// G.711 table 1: 13 bits in; the segment is the position of the highest bit; even bits are inverted (0x55).
const fn encode_a(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let magnitude = (if sample < 0 { !sample } else { sample } as u16) >> 4;
    let code = if magnitude < 32 {
        magnitude as u8
    } else {
        let shift = 11 - magnitude.leading_zeros() as u16;
        (((shift + 1) << 4) | ((magnitude >> shift) & 0x0f)) as u8
    };
    (code | sign) ^ 0x55
}

/// G.711 table 2: 14 bits in, biased by 33, all bits inverted.
const fn encode_u(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let magnitude = ((if sample < 0 { !sample } else { sample } as u16) >> 2) + 33;
    let biased = if magnitude > 0x1fff { 0x1fff } else { magnitude };
    let segment = 10 - biased.leading_zeros() as u16;
    let code = (segment << 4) | ((biased >> (segment + 1)) & 0x0f);
    (!(code as u8) & 0x7f) | sign
}

const fn decode_table(codec: Codec) -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = match codec {
            Codec::Pcma => decode_a(octet as u8),
            Codec::Pcmu => decode_u(octet as u8),
        };
        octet += 1;
    }
    table
}

const fn decode_a(octet: u8) -> i16 {
    let code = octet ^ 0x55;
    let (segment, mantissa) = ((code >> 4) & 7, (code & 0x0f) as i16);
    let magnitude = if segment == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 0x108) << (segment - 1) };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

const fn decode_u(octet: u8) -> i16 {
    let code = !octet;
    let (segment, mantissa) = ((code >> 4) & 7, (code & 0x0f) as i16);
    let magnitude = (((mantissa << 3) + 0x84) << segment) - 0x84;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ITU-T G.191 `alaw_compress`, transcribed loop by loop.
    fn reference_a(sample: i16) -> u8 {
        let mut ix = if sample < 0 { !sample >> 4 } else { sample >> 4 };
        if ix > 15 {
            let mut exponent = 1;
            while ix > 16 + 15 {
                ix >>= 1;
                exponent += 1;
            }
            ix = ix - 16 + (exponent << 4);
        }
        if sample >= 0 {
            ix |= 0x80;
        }
        (ix ^ 0x55) as u8
    }

    /// ITU-T G.191 `ulaw_compress`.
    fn reference_u(sample: i16) -> u8 {
        let absolute = (if sample < 0 { !sample >> 2 } else { sample >> 2 } + 33).min(0x1fff);
        let (mut i, mut segment) = (absolute >> 6, 1);
        while i != 0 {
            segment += 1;
            i >>= 1;
        }
        let code = ((8 - segment) << 4) | (0x0f - ((absolute >> segment) & 0x0f));
        (if sample >= 0 { code | 0x80 } else { code }) as u8
    }

    #[test]
    fn every_sample_encodes_as_the_reference_algorithm_says() {
        for sample in i16::MIN..=i16::MAX {
            assert_eq!(Codec::Pcma.encode(sample), reference_a(sample), "A-law {sample}");
            assert_eq!(Codec::Pcmu.encode(sample), reference_u(sample), "u-law {sample}");
        }
    }

    #[test]
    fn every_code_survives_decoding_and_encoding_again() {
        for octet in 0..=255 {
            assert_eq!(Codec::Pcma.encode(Codec::Pcma.decode(octet)), octet);
            // µ-law has two zeros; the negative one (0x7f) encodes as the positive.
            let want = if octet == 0x7f { 0xff } else { octet };
            assert_eq!(Codec::Pcmu.encode(Codec::Pcmu.decode(octet)), want);
        }
    }

    #[test]
    fn the_ends_of_the_decoding_tables_are_those_of_the_recommendation() {
        assert_eq!([0x2a, 0xaa, 0xd5, 0x55].map(|o| Codec::Pcma.decode(o)), [-32_256, 32_256, 8, -8]);
        assert_eq!([0x00, 0x80, 0xff, 0x7f].map(|o| Codec::Pcmu.decode(o)), [-32_124, 32_124, 0, 0]);
        assert_eq!((Codec::Pcma.silence(), Codec::Pcmu.silence()), (0xd5, 0xff));
    }

    #[test]
    fn slices_of_unequal_length_use_the_shorter() {
        let (mut octets, mut pcm) = ([0; 2], [7; 3]);
        assert_eq!(Codec::Pcma.encode_into(&[1000, -1000, 5], &mut octets), 2);
        assert_eq!(Codec::Pcma.decode_into(&octets, &mut pcm), 2);
        assert!((pcm[0] - 1000).abs() < 32 && (pcm[1] + 1000).abs() < 32 && pcm[2] == 7);
    }
}
