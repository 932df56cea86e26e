//! Names as people type them at a door: without accents, upper and lower case alike.

/// Appends `text` to `out` as it is compared: lower case, letters without their accents, apostrophes
/// left out, anything else that is no letter or digit as one space.
pub(super) fn fold_into(text: &str, out: &mut String) {
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else {
            fold_char(c, out);
        }
    }
}

/// [`fold_into`] a new text.
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

fn fold_char(c: char, out: &mut String) {
    // Combining accents, and the apostrophes of O'Neill in their three common forms.
    if matches!(c, '\u{300}'..='\u{36f}' | '\'' | '\u{2019}' | '\u{2bc}') {
        return;
    }
    if !c.is_alphanumeric() {
        if !out.ends_with(' ') {
            out.push(' ');
        }
        return;
    }
    for lower in c.to_lowercase() {
        match plain(lower) {
            Some(letters) => out.push_str(letters),
            // The dot that lower case leaves of a Turkish capital I is an accent too.
            None if lower == '\u{307}' => {}
            None => out.push(lower),
        }
    }
}

/// The plain letters of an accented one, in lower case. Unicode's own decomposition would leave ø, ł,
/// đ and ß as they are, which nobody types at a door abroad.
const fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ȁ' | 'ȃ' | 'ạ'..='ặ' => "a",
        'æ' | 'ǽ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ȅ' | 'ȇ' | 'ẹ'..='ệ' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' | 'ǧ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ǐ' | 'ỉ' | 'ị' => "i",
        'ĵ' => "j",
        'ķ' | 'ǩ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ŋ' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | 'ǒ' | 'ọ'..='ợ' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | 'ǔ' | 'ụ'..='ự' => "u",
        'ŵ' | 'ẁ' | 'ẃ' | 'ẅ' => "w",
        'ý' | 'ÿ' | 'ŷ' | 'ỳ'..='ỹ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'ά' => "α",
        'έ' => "ε",
        'ή' => "η",
        'ί' | 'ϊ' | 'ΐ' => "ι",
        'ό' => "ο",
        'ύ' | 'ϋ' | 'ΰ' => "υ",
        'ώ' => "ω",
        'ς' => "σ",
        'ё' => "е",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_they_are_typed() {
        for (name, typed) in [
            ("Søren Kierkegård", "soren kierkegard"),
            ("Łukasz ŻÓŁĆ", "lukasz zolc"),
            ("Jose\u{301} Nun\u{303}ez", "jose nunez"),
            ("O\u{2019}Neill-D'Arcy", "oneill darcy"),
            ("Nguyễn Thị Ánh", "nguyen thi anh"),
            ("İstanbul IŞIK ığdır", "istanbul isik igdir"),
            ("Groß, Ægir", "gross aegir"),
            ("Πέτρος Ξένος", "πετροσ ξενοσ"),
            ("Фёдор", "федор"),
            ("山田 太郎", "山田 太郎"),
        ] {
            assert_eq!(folded(name), typed);
        }
    }
}
