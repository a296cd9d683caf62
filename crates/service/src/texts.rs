//! What no text of a caller may hold, whatever dialect or file it comes from.

use refundry_engine::Refusal;

/// Refuses the character U+0000: not every database can keep it in a text or be asked for one that has it. What is written as JSON spells it out,
/// so only texts that stand in columns of their own, or are looked for there, pass here.
pub(crate) fn check_kept(field: &str, text: &str) -> Result<(), Refusal> {
    if text.contains('\0') { Err(without_control_characters(field)) } else { Ok(()) }
}

/// Refuses every control character: in numbers and references, which go into lists, files and logs.
pub(crate) fn check_plain(field: &str, text: &str) -> Result<(), Refusal> {
    if text.chars().any(char::is_control) { Err(without_control_characters(field)) } else { Ok(()) }
}

fn without_control_characters(field: &str) -> Refusal {
    Refusal::FieldInvalid { field: field.to_owned(), rule: "without control characters".to_owned() }
}
