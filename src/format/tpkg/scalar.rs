//! What becomes of an unquoted YAML scalar in `tpkg`, which prints it after Ruby has typed it.
//!
//! `version: 1.10` is the number 1.1 there, so the file of that package is called `x-1.1.tpkg`, and
//! whoever asks for `1.10` does not find it. What others have built is read the same way.

/// What `tpkg` prints of the plain scalar `text`; nothing where it prints the same text.
pub(super) fn printed(text: &str) -> Option<String> {
    let typed = truth(text)
        .or_else(|| symbol(text))
        .or_else(|| fraction(text))
        .or_else(|| sexagesimal(text))
        .or_else(|| whole(text))?;
    Some(typed).filter(|typed| typed != text)
}

fn truth(text: &str) -> Option<String> {
    let truth = match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => "true",
        "false" | "no" | "off" => "false",
        _ => return None,
    };
    Some(truth.to_owned())
}

/// `:name` is a symbol, which prints without its colon.
fn symbol(text: &str) -> Option<String> {
    let name = text.strip_prefix(':').filter(|name| !name.is_empty())?;
    Some(name.trim_matches(['"', '\'']).to_owned())
}

/// Splits a sign off.
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn fraction(text: &str) -> Option<String> {
    let (_, plain) = signed(text);
    let (whole, rest) = plain.split_once('.')?;
    let (digits, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (rest.get(..at)?, rest.get(at + 1..)),
        None => (rest, None),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let separated = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b','))
            && text.bytes().next().is_none_or(|first| first.is_ascii_digit())
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        exponent.strip_prefix(['+', '-']).is_some_and(|rest| !rest.is_empty() && is_digits(rest))
    });
    if !separated(whole) || !is_digits(digits) || !exponent_fits {
        return None;
    }
    if whole.is_empty() && digits.is_empty() {
        return None;
    }
    let clean: String = text.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    clean.parse::<f64>().ok().map(print_float)
}

/// Prints a number as Ruby does: the shortest digits that mean it, always with a point.
fn print_float(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 || (1e-4..1e16).contains(&size) {
        return format!("{number:?}");
    }
    if !number.is_finite() {
        return if number < 0.0 { "-Infinity" } else { "Infinity" }.to_owned();
    }
    let text = format!("{number:e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let (negative, exponent) = signed(exponent);
    let sign = if negative { '-' } else { '+' };
    format!("{mantissa}{point}e{sign}{exponent:0>2}")
}

/// `12:30` is 45000: Ruby's reader counts the first of two parts as hours, too.
fn sexagesimal(text: &str) -> Option<String> {
    let (negative, plain) = signed(text);
    let mut parts = plain.split(':');
    let first = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let is_number = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let is_sixtieth = |text: &&str| match text.as_bytes() {
        [one] => one.is_ascii_digit(),
        [ten, one] => (b'0'..=b'5').contains(ten) && one.is_ascii_digit(),
        _ => false,
    };
    if rest.is_empty() || rest.len() > 2 || !is_number(first) || !rest.iter().all(is_sixtieth) {
        return None;
    }
    let mut sum: u128 = first.replace('_', "").parse::<u128>().ok()?.checked_mul(3600)?;
    for (part, weight) in rest.iter().zip([60, 1]) {
        sum = sum.checked_add(part.parse::<u128>().ok()? * weight)?;
    }
    Some(format!("{}{sum}", if negative { "-" } else { "" }))
}

fn whole(text: &str) -> Option<String> {
    let (negative, plain) = signed(text);
    let all = |text: &str, fits: fn(char) -> bool| !text.is_empty() && text.chars().all(fits);
    let radix = |digits: &str, radix: u32| {
        u128::from_str_radix(&digits.replace('_', ""), radix).ok().map(|value| value.to_string())
    };
    let value = if let Some(digits) = plain.strip_prefix("0b") {
        all(digits, |c| matches!(c, '0' | '1' | '_')).then(|| radix(digits, 2))?
    } else if let Some(digits) = plain.strip_prefix("0x") {
        all(digits, |c| c.is_ascii_hexdigit() || c == '_').then(|| radix(digits, 16))?
    } else if plain == "0" {
        Some(plain.to_owned())
    } else if let Some(digits) = plain.strip_prefix('0') {
        all(digits, |c| matches!(c, '0'..='7' | '_')).then(|| radix(digits, 8))?
    } else {
        // As long as it likes: the separators go, and the digits stay.
        let separated = plain.starts_with(|c: char| c.is_ascii_digit())
            && all(plain, |c| c.is_ascii_digit() || matches!(c, '_' | ','))
            && plain.ends_with(|c: char| c.is_ascii_digit())
            && !["__", ",,", "_,", ",_"].iter().any(|two| plain.contains(two));
        separated.then(|| plain.replace(['_', ','], ""))
    }?;
    Some(if negative && value != "0" { format!("-{value}") } else { value })
}

#[cfg(test)]
mod tests {
    use super::printed;

    /// Every line was tried with Ruby's own reader.
    #[test]
    fn scalars_print_as_ruby_types_them() {
        for (text, expected) in [
            ("1.10", "1.1"),
            ("1.00", "1.0"),
            ("5.", "5.0"),
            (".5", "0.5"),
            ("1_0.5", "10.5"),
            ("1.5e+3", "1500.0"),
            ("1.5e-7", "1.5e-07"),
            ("010", "8"),
            ("0x1F", "31"),
            ("0b11", "3"),
            ("1,000", "1000"),
            ("1_000", "1000"),
            ("+5", "5"),
            ("12:30", "45000"),
            ("1:2:03", "3723"),
            ("yes", "true"),
            ("Off", "false"),
            (":native", "native"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(expected), "{text}");
        }
        for same in [
            "1.1",
            "1.0",
            "2.3.6",
            "1",
            "0",
            "1.0a",
            "1e3",
            "1.5e3",
            "08",
            "1.0-1",
            "x",
            "1__0",
            "12:75",
            "1:2:3:4",
            "2010-01-05",
            ".",
            "-",
            "~x",
            "10000000000000000000000000",
            "1,",
            "1.0e+20",
            "0x",
            "-5",
            "nope",
            ":",
        ] {
            assert_eq!(printed(same), None, "{same}");
        }
    }
}
