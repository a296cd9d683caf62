use super::*;

const PKCS8: &str = include_str!("../../tests/keys/rsa.pkcs8.b64");
const PKCS1: &str = include_str!("../../tests/keys/rsa.pkcs1.pem");
const SPKI: &str = include_str!("../../tests/keys/rsa.spki.b64");
const SPKI_PEM: &str = include_str!("../../tests/keys/rsa.spki.pem");
const PUBLIC_PKCS1: &str = include_str!("../../tests/keys/rsa.public.pkcs1.pem");
const SHORT_SPKI: &str = include_str!("../../tests/keys/rsa1024.spki.b64");
const EC_SPKI: &str = include_str!("../../tests/keys/p256.spki.b64");
/// Made by `openssl dgst -sha256 -sign` over `hello`.
const OPENSSL_SIGNATURE: &str = include_str!("../../tests/keys/hello.signature.b64");

#[test]
fn signs_as_openssl_does_from_every_form_of_the_key() {
    for text in [PKCS8, PKCS1] {
        let signer = RsaSigner::parse(text).unwrap();
        assert_eq!(signer.sign_base64(b"hello"), OPENSSL_SIGNATURE.trim());
        assert_eq!(signer.public_spki(), SPKI.trim());
    }
}

#[test]
fn verifies_with_every_form_of_the_key() {
    let spki_in_two_lines = format!("{}\r\n {}\n", &SPKI.trim()[..100], &SPKI.trim()[100..]);
    for text in [SPKI, SPKI_PEM, PUBLIC_PKCS1, &spki_in_two_lines] {
        let verifier = RsaVerifier::parse(text).unwrap();
        assert!(verifier.verify_base64(b"hello", OPENSSL_SIGNATURE.trim()));
        assert!(verifier.verify_base64(b"hello", OPENSSL_SIGNATURE.trim().trim_end_matches('=')));
        assert!(!verifier.verify_base64(b"hullo", OPENSSL_SIGNATURE.trim()));
        assert!(!verifier.verify_base64(b"hello", "AAAA"));
        assert!(!verifier.verify_base64(b"hello", "not base64!"));
        assert!(!verifier.verify_base64(b"hello", ""));
    }
}

#[test]
fn refuses_what_is_not_an_rsa_key() {
    let too_long = "A".repeat(KEY_TEXT_LENGTH_MAX + 1);
    for (text, error) in [
        ("", KeyError::NotBase64),
        ("not base64!", KeyError::NotBase64),
        (&too_long, KeyError::NotBase64),
        ("AAAA", KeyError::NotRsa),
        (SHORT_SPKI, KeyError::NotRsa),
        (EC_SPKI, KeyError::NotRsa),
        (PKCS8, KeyError::NotRsa),
    ] {
        assert_eq!(RsaVerifier::parse(text).err(), Some(error), "{text}");
    }
    for (text, error) in [("", KeyError::NotBase64), ("AAAA", KeyError::NotRsa), (SPKI, KeyError::NotRsa)] {
        assert_eq!(RsaSigner::parse(text).err(), Some(error), "{text}");
    }
}

#[test]
fn a_generated_pair_fits_together() {
    let texts = generate_rsa_keys();
    assert!(!texts.private_pkcs8.contains(char::is_whitespace) && !texts.public_spki.contains(char::is_whitespace));
    let signature = RsaSigner::parse(&texts.private_pkcs8).unwrap().sign(b"message");
    assert!(RsaVerifier::parse(&texts.public_spki).unwrap().verify(b"message", &signature));
    assert!(!RsaVerifier::parse(SPKI).unwrap().verify(b"message", &signature));
}

#[test]
fn webhook_signatures_follow_the_published_example() {
    // The example of the Standard Webhooks specification.
    let secret = webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let (id, at, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    let signature = webhook_signature(&secret, id, at, body);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert!(verify_webhook(&secret, id, at, body, &format!("v1a,AAAA v1,AAAA {signature}")));
    assert!(!verify_webhook(&secret, id, at + 1, body, &signature));
    assert!(!verify_webhook(&secret, id, at, body, "v1,AAAA"));
    assert!(!verify_webhook(&secret, id, at, body, ""));
    assert_eq!(webhook_secret("plain").as_slice(), b"plain");
}

#[test]
fn digests_are_the_published_ones() {
    assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let tag = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(hex::encode(tag), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert!(constant_time_equal(b"same", b"same"));
    assert!(!constant_time_equal(b"same", b"sane") && !constant_time_equal(b"same", b"sam"));
}

/// Made by others: a text with its signature by the key of these two coordinates.
const SM2_X: &str = "5e5d65e7b527abef99c97ef64dc428c56efad4a3e649a0b71efdf110bb5f5b7c";
const SM2_Y: &str = "970ffc9d53be3b49e361aaabd487b76a0c3a8002944e8e9e642459200e9ae71e";
const SM2_TEXT: &str = "{\"merId\":\"100000\",\"terId\":\"200000\",\"originOutTradeNo\":\"PAY20250701001\",\"outTradeNo\":\"RF20250701001\",\"refundAmt\":4000,\
                        \"totalAmt\":4000,\"txnTime\":\"20250701120000\",\"sharingRefundInfo\":[{\"sharingAmt\":1200,\"sharingMerId\":\"100001\"}],\
                        \"refundReason\":\"商品缺货 & 退款\"}";
const SM2_SIGNATURE: &str = "3046022100C08D07B37F0FB08EEC3BAB48914294D9CEDA509E4492876A4AC385CAB066FD1102210080B79DA36371E7AB385622E19CAA9AA7160F07A53C9\
                             558F2CA327F4392506FA2";

#[test]
fn verifies_sm2_with_the_point_in_every_form() {
    let signature = hex::decode(SM2_SIGNATURE).unwrap();
    let parity = if SM2_Y.ends_with('e') { "02" } else { "03" };
    for point in
        [format!("04{SM2_X}{SM2_Y}"), format!("{SM2_X}{SM2_Y}\n"), format!("04{SM2_X}{SM2_Y}").to_uppercase(), format!("{parity}{SM2_X}")]
    {
        let verifier = Sm2Verifier::parse(&point).unwrap();
        assert!(verifier.verify(SM2_TEXT.as_bytes(), &signature), "{point}");
        assert!(!verifier.verify(b"other", &signature));
        for wrong in [&signature[..signature.len() - 1], &[], &[0; 64], &[0xFF; 64]] {
            assert!(!verifier.verify(SM2_TEXT.as_bytes(), wrong));
        }
    }
}

#[test]
fn sm2_keys_are_read_as_digits_and_as_pem() {
    let private_pem = include_str!("../../tests/keys/sm2.pkcs8.pem");
    let public_pem = include_str!("../../tests/keys/sm2.spki.pem");
    let signer = Sm2Signer::parse(private_pem).unwrap();
    let signature = signer.sign(b"hello");
    assert_eq!(signature, signer.sign(b"hello"), "nonces come from key and message");
    for text in [public_pem.to_owned(), signer.public_hex()] {
        assert!(Sm2Verifier::parse(&text).unwrap().verify(b"hello", &signature));
    }
    let one_line: String = public_pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert!(Sm2Verifier::parse(&one_line).unwrap().verify(b"hello", &signature));
}

#[test]
fn a_generated_sm2_pair_fits_together_and_comes_from_the_random_bytes_alone() {
    let texts = generate_sm2_keys(|bytes| bytes.fill(7));
    assert_eq!((texts.private_hex.as_str(), texts.public_hex.len()), ("07".repeat(32).as_str(), 130));
    let signer = Sm2Signer::parse(&texts.private_hex).unwrap();
    assert_eq!(signer.public_hex(), texts.public_hex);
    assert!(Sm2Verifier::parse(&texts.public_hex).unwrap().verify(b"message", &signer.sign(b"message")));
}

#[test]
fn refuses_what_is_not_an_sm2_key() {
    let off_the_curve = format!("04{SM2_X}{SM2_X}");
    for text in ["", "not a key", "00", &"0".repeat(128), &off_the_curve, SPKI, EC_SPKI] {
        assert!(Sm2Verifier::parse(text).is_err(), "{text}");
    }
    for text in ["", "00", &"0".repeat(64), &"f".repeat(64), PKCS8] {
        assert!(Sm2Signer::parse(text).is_err(), "{text}");
    }
    assert!(RsaVerifier::parse(&format!("04{SM2_X}{SM2_Y}")).is_err());
}
