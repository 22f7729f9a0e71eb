//! `quota`: gears have none here, and the answer is the one of the original for that.

use super::programs::{become_program, real};
use super::{Call, Refused};
use crate::sys::host;

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    if let Some(quota) = real(call, "quota") {
        return Err(become_program(call, &quota, call.arguments));
    }
    let user = call.text("USER").unwrap_or_else(|| host::user_id().to_string());
    call.say(&format!("Disk quotas for user {user} (uid {}): none", host::user_id()))?;
    Ok(0)
}
