//! Compares keys, and decides whether a key is a tag (docs/decoding.md, "Keys" and "Tags").

use std::collections::HashSet;

/// A set of normalized names.
pub type Names = HashSet<Box<[u8]>>;

const AVRO_NAMES: [&[u8]; 9] =
    [b"string", b"int", b"long", b"float", b"double", b"boolean", b"bytes", b"array", b"map"];

/// Normalizes a key for comparison: converts ASCII letters to lower case, and removes blanks and underscores.
pub fn normalise(key: &[u8]) -> Vec<u8> {
    key.iter().filter(|byte| !matches!(byte, b' ' | b'\t' | b'_')).map(u8::to_ascii_lowercase).collect()
}

/// Returns a type's name without its namespace.
pub fn last_part(name: &[u8]) -> &[u8] {
    name.rsplit(|&byte| byte == b'.').next().unwrap_or(name)
}

/// Returns a body tag in the form in which tables list it: in lower case, without the namespace, a leading
/// `WebSession`, and a trailing `Data`.
pub fn short_tag(tag: &[u8]) -> Vec<u8> {
    let name = normalise(last_part(tag));
    let name = name.strip_prefix(b"websession").unwrap_or(&name);
    name.strip_suffix(b"data").unwrap_or(name).to_vec()
}

/// Whether `key`, the only key of an object, is a tag. `names` has the normalized names of the type that is expected at
/// this position.
pub fn is_tag(key: &[u8], names: &Names) -> bool {
    key.contains(&b'.') || AVRO_NAMES.contains(&key) || (!names.is_empty() && names.contains(normalise(key).as_slice()))
}

/// Whether the key may appear in a path without quotes.
pub fn is_identifier(key: &[u8]) -> bool {
    !key.is_empty() && !key[0].is_ascii_digit() && key.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_without_case_blanks_and_underscores() {
        assert_eq!(normalise(b"search_Engine\tKey"), b"searchenginekey");
        assert_eq!(normalise("Größe".as_bytes()), "größe".as_bytes());
        assert_eq!(normalise(b"_ "), b"");
    }

    #[test]
    fn body_tags_lose_namespace_prefix_and_suffix_once() {
        assert_eq!(short_tag(b"com.liveperson.WebSessionGeoData"), b"geo");
        assert_eq!(short_tag(b"WebSessionDataData"), b"data");
        assert_eq!(short_tag(b"a."), b"");
    }

    #[test]
    fn a_key_is_a_tag_by_its_dot_its_avro_name_or_the_types_own() {
        let names: Names = [Box::from(&b"geolocation"[..])].into();
        assert!(is_tag(b"a.b", &names) && is_tag(b"long", &names) && is_tag(b"Geo_Location", &names));
        assert!(!is_tag(b"Long", &names) && !is_tag(b"", &names));
    }

    #[test]
    fn identifiers_are_ascii_and_begin_with_no_digit() {
        assert!(
            is_identifier(b"_a1") && !is_identifier(b"1a") && !is_identifier(b"") && !is_identifier("ö".as_bytes())
        );
    }
}
