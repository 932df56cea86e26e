//! Letters five rows high, readable from three metres.

/// Rows of a letter.
pub(super) const ROWS: usize = 5;

const fn glyph(letter: char) -> [&'static str; ROWS] {
    match letter {
        'A' => [" ### ", "#   #", "#####", "#   #", "#   #"],
        'D' => ["#### ", "#   #", "#   #", "#   #", "#### "],
        'I' => ["###", " # ", " # ", " # ", "###"],
        'K' => ["#   #", "#  # ", "###  ", "#  # ", "#   #"],
        'M' => ["#   #", "## ##", "# # #", "#   #", "#   #"],
        'O' => [" ### ", "#   #", "#   #", "#   #", " ### "],
        'P' => ["#### ", "#   #", "#### ", "#    ", "#    "],
        'S' => [" ####", "#    ", " ### ", "    #", "#### "],
        'T' => ["#####", "  #  ", "  #  ", "  #  ", "  #  "],
        // The symbols of the three outcomes, told apart by shape alone.
        '✔' => ["      #", "     ##", "#   ## ", "## ##  ", " ###   "],
        '✖' => ["##   ##", " ## ## ", "  ###  ", " ## ## ", "##   ##"],
        '?' => [" ##### ", "##   ##", "   ### ", "       ", "   ##  "],
        _ => ["", "", "", "", ""],
    }
}

/// `text` in big letters: [`ROWS`] lines of equal width, drawn with `ink`.
pub(super) fn big(text: &str, ink: char) -> Vec<String> {
    (0..ROWS)
        .map(|row| {
            let letters: Vec<&str> = text.chars().map(|letter| glyph(letter)[row]).collect();
            letters.join(" ").chars().map(|c| if c == '#' { ink } else { ' ' }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_on_the_door_has_its_letters_in_equal_rows() {
        for word in ["✔ADMIT", "✖STOP", "?ASK"] {
            let rows = big(word, '#');
            assert_eq!(rows.len(), ROWS);
            assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{word}: {rows:#?}");
            assert!(word.chars().all(|letter| !glyph(letter)[0].is_empty()), "{word}");
        }
    }
}
