//! Programs that look at pages as people do. They say so, those that are honest.

/// What stands in the `User-Agent` of programs, in small letters. From how they name themselves: crawlers (RFC 9309 asks them
/// to), previews of messengers, monitors, and libraries that fetch pages.
const MARKS: [&str; 24] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "preview",
    "facebookexternalhit",
    "embedly",
    "headless",
    "lighthouse",
    "pingdom",
    "uptime",
    "monitor",
    "curl/",
    "wget",
    "python-",
    "python/",
    "go-http-client",
    "java/",
    "okhttp",
    "libwww",
    "httpclient",
    "phantomjs",
    "selenium",
    "scrapy",
];
/// The longest that is read.
const MAX: usize = 1_024;

/// Whether a `User-Agent` is a program's. Browsers that name none are taken for people: many apps do not.
pub(super) fn is_bot(user_agent: &str) -> bool {
    let end = user_agent.char_indices().nth(MAX).map_or(user_agent.len(), |(end, _)| end);
    let small = user_agent[..end].to_ascii_lowercase();
    // A telephone by the name of Cubot is no robot.
    let small = small.replace("cubot", "");
    MARKS.iter().any(|mark| small.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::is_bot;

    #[test]
    fn programs_are_told_from_browsers() {
        for program in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130.0.0.0 Safari/537.36",
            "facebookexternalhit/1.1",
            "curl/8.9.1",
            "python-requests/2.32.3",
        ] {
            assert!(is_bot(program), "{program}");
        }
        for browser in [
            "",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
        ] {
            assert!(!is_bot(browser), "{browser}");
        }
        assert!(!is_bot(&"ü".repeat(5_000)));
    }
}
