//! Numbers.

use super::value::Value;
use super::{Outcome, beyond, raised};
use crate::template::erb::ast::Op;
use crate::template::erb::scan::At;

#[expect(clippy::cast_precision_loss, reason = "Ruby loses it, too")]
pub(super) fn as_float(number: i64) -> f64 {
    number as f64
}

/// Reckons with whole numbers: division and remainder round down.
pub(super) fn whole(op: Op, (a, b): (i64, i64), at: At) -> Outcome {
    if b == 0 && matches!(op, Op::Div | Op::Rem) {
        return Err(raised(at, "a number is divided by 0"));
    }
    let result = match op {
        Op::Add => a.checked_add(b),
        Op::Sub => a.checked_sub(b),
        Op::Mul => a.checked_mul(b),
        Op::Div => a.checked_div(b).map(|quotient| {
            let rounds = a % b != 0 && (a < 0) != (b < 0);
            quotient - i64::from(rounds)
        }),
        Op::Rem => a.checked_rem(b).map(|rest| {
            let turns = rest != 0 && (rest < 0) != (b < 0);
            if turns { rest + b } else { rest }
        }),
        _ => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
    };
    result.map(Value::Int).ok_or_else(|| beyond(at, "a number so large"))
}

/// Reckons with other numbers.
pub(super) fn real(op: Op, a: f64, b: f64) -> f64 {
    match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
        Op::Rem => {
            let rest = a % b;
            if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
        }
        _ => a.powf(b),
    }
}

/// The whole number of a float that has no part behind its point.
fn exact(number: f64, at: At) -> Outcome {
    if !number.is_finite() {
        return Err(raised(at, "a number without end has no whole part"));
    }
    // The largest whole number that a float holds exactly is well below i64's.
    if number.abs() >= 9e15 {
        return Err(beyond(at, "a number so large"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked just before")]
    Ok(Value::Int(number as i64))
}

/// The number that a text begins with, as `to_i` reads it.
pub(super) fn leading_int(text: &str, at: At) -> Outcome {
    let text = text.trim_start();
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, text.get(1..).unwrap_or_default()),
        Some(b'+') => (1, text.get(1..).unwrap_or_default()),
        _ => (1, text),
    };
    let mut number: i64 = 0;
    for digit in leading_digits(digits).bytes().filter(u8::is_ascii_digit) {
        number = number
            .checked_mul(10)
            .and_then(|number| number.checked_add(i64::from(digit - b'0')))
            .ok_or_else(|| beyond(at, "a number so large"))?;
    }
    Ok(Value::Int(sign * number))
}

/// Digits with single `_` between them.
fn leading_digits(text: &str) -> &str {
    let mut end = 0;
    let mut before = b'_';
    for byte in text.bytes() {
        let goes_on = byte.is_ascii_digit() || (byte == b'_' && before != b'_');
        if !goes_on {
            break;
        }
        before = byte;
        end += 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The number that a text begins with, as `to_f` reads it.
pub(super) fn leading_float(text: &str) -> f64 {
    let text = text.trim_start();
    let unsigned = text.trim_start_matches(['-', '+']);
    let mut end = text.len() - unsigned.len();
    if end > 1 {
        return 0.0;
    }
    let whole = leading_digits(unsigned).trim_end_matches('_').len();
    end += whole;
    let part = |from: usize| text.get(from..).map(leading_digits).map_or(0, str::len);
    if text.get(end..).is_some_and(|rest| rest.starts_with('.')) && part(end + 1) > 0 {
        end += 1 + part(end + 1);
    }
    if text.get(end..).is_some_and(|rest| rest.starts_with(['e', 'E'])) {
        let signed = text.get(end + 1..).is_some_and(|rest| rest.starts_with(['-', '+']));
        let digits = end + 1 + usize::from(signed);
        if part(digits) > 0 {
            end = digits + part(digits);
        }
    }
    text.get(..end)
        .map(|text| text.replace('_', ""))
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.0)
}

/// The methods of numbers; nothing for one that they lack.
pub(super) fn of_number(
    on: &Value,
    (name, at): (&str, At),
    args: &[Value],
) -> Outcome<Option<Value>> {
    if !args.is_empty() {
        return Ok(None);
    }
    Ok(Some(match (on, name) {
        (Value::Int(_), "to_i" | "floor" | "ceil" | "round") | (Value::Float(_), "to_f") => {
            on.clone()
        }
        (Value::Int(number), "to_f") => Value::Float(as_float(*number)),
        (Value::Int(number), "abs") => {
            Value::Int(number.checked_abs().ok_or_else(|| beyond(at, "a number so large"))?)
        }
        (Value::Int(number), "zero?") => (*number == 0).into(),
        (Value::Int(number), "even?") => (number % 2 == 0).into(),
        (Value::Int(number), "odd?") => (number % 2 != 0).into(),
        (Value::Float(number), "to_i") => exact(number.trunc(), at)?,
        (Value::Float(number), "floor") => exact(number.floor(), at)?,
        (Value::Float(number), "ceil") => exact(number.ceil(), at)?,
        (Value::Float(number), "round") => exact(number.round(), at)?,
        (Value::Float(number), "abs") => Value::Float(number.abs()),
        (Value::Float(number), "zero?") => (*number == 0.0).into(),
        _ => return Ok(None),
    }))
}
