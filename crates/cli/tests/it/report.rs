//! The page that shows runs: whole without its data, harmless whatever names say, and true to `evaluate`.

use crate::sandbox::Sandbox;

/// A folder may be named like this.
pub(crate) const NASTY: &str = "<img src=x onerror=alert(1)>";

pub(crate) fn report(sandbox: &Sandbox, arguments: &str) -> String {
    let file = sandbox.juggle(&format!("report {arguments}")).done();
    sandbox.read(file.trim())
}

/// Text of a page without its tags, and nothing else changed.
pub(crate) fn text(page: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in page.chars() {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(c),
            _ => {}
        }
    }
    text
}

/// What holds for every page.
pub(crate) fn check(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    for asked in [
        "http://", "https://", "<link", "@import", "url(http", "src=\"/",
    ] {
        let found = page
            .find(asked)
            .map(|at| &page[at..(at + 60).min(page.len())]);
        assert!(
            found.is_none_or(|found| found.starts_with("http://www.w3.org/2000/svg")),
            "{found:?}"
        );
    }
    // Two attributes of one name: the second is ignored by browsers.
    for tag in page.split('<').filter_map(|rest| rest.split('>').next()) {
        assert!(tag.matches(" class=\"").count() < 2, "{tag}");
    }
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let n = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n, "an id is on the page twice");
}

#[test]
fn a_run_shows_what_evaluate_says() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let evaluation = sandbox.juggle("evaluate out --json").json();
    let page = report(&sandbox, "out");
    check(&page);
    let text = text(&page);
    let accuracy = evaluation["accuracy"].as_f64().unwrap();
    assert!(
        text.contains(&format!("an accuracy of {accuracy:.3}, 95% interval")),
        "{text}"
    );
    for part in [
        "Run out",
        "Confusion matrix: rows are true, columns predicted",
        "Expected calibration error".to_lowercase().as_str(),
        "Clopper–Pearson",
        "best.safetensors",
        "juggle train classifier --config out/config.toml --run out-again",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let errors = evaluation["errors"].as_array().unwrap();
    for error in errors {
        assert!(text.contains(error["file"].as_str().unwrap()));
    }
    let images = page
        .matches("<img class=\"pixels\" src=\"data:image/png;base64,")
        .count();
    assert_eq!(images, errors.len());
}

#[test]
fn evaluate_leaves_the_same_page_in_the_run_folder() {
    let sandbox = Sandbox::with_clips();
    sandbox.train_clips("out");
    let output = sandbox.juggle("evaluate out --weights last");
    assert!(
        output.stderr.contains("report: out/report.html"),
        "{}",
        output.stderr
    );
    let left = sandbox.read("out/report.html");
    check(&left);
    let asked = report(&sandbox, "out --weights last --out asked.html");
    // Command line and time differ.
    let facts = |page: &str| {
        let text = text(page);
        let (before, rest) = text.split_once("This report").unwrap();
        let (_, after) = rest.split_once("Facts of the run").unwrap();
        (
            before.to_owned(),
            after.split("Made by").next().unwrap().to_owned(),
        )
    };
    assert_eq!(facts(&left), facts(&asked));
    sandbox
        .juggle("train autoencoder --data clips --run out --epochs 1 --widths 4,8 --threads 1 --overwrite")
        .done();
    assert_ne!(
        sandbox.read("out/report.html"),
        left,
        "it showed weights that are no more"
    );
}

#[test]
fn clips_show_windows_and_say_when_they_are_too_short_to_roll_out() {
    let sandbox = Sandbox::with_clips();
    sandbox.train_clips("out");
    let page = report(&sandbox, "out");
    check(&page);
    for part in [
        "prediction and last input frame",
        "best: ",
        "median: ",
        "worst: ",
        "No clip has enough frames",
    ] {
        assert!(text(&page).contains(part), "{part}");
    }
    for (split, clips) in [("train", 2), ("val", 3)] {
        for clip in 0..clips {
            for frame in 0..15 {
                let name = format!("long/{split}/clip{clip}/{frame:02}.png");
                sandbox.write_gray(&name, 12, |y, x| {
                    if (x + y + clip) % 12 == frame % 12 {
                        250
                    } else {
                        10
                    }
                });
            }
        }
    }
    let page = report(&sandbox, "out --data long --out long.html");
    check(&page);
    assert!(text(&page).contains("One roll-out for each of 3 clips"));
    assert!(page.contains("id=\"rollout-psnr\""));
}

#[test]
fn names_are_text_and_nothing_else() {
    let sandbox = Sandbox::new();
    for split in ["train", "val", "test"] {
        sandbox.write_bars(&format!("bars/{split}/{NASTY}"), "level", 6, 8);
        // What the network takes for the other class shows among the mistakes.
        sandbox.write_bars(&format!("bars/{split}/plain"), "level", 6, 8);
        sandbox.write_gray(
            &format!("bars/{split}/plain/\"><svg onload=alert(2)>.png"),
            8,
            |_, _| 9,
        );
    }
    sandbox.train_bars("out");
    let page = report(&sandbox, "out");
    check(&page);
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert!(!page.contains("<img src=x") && !page.contains("<svg onload"));
    let policy = page
        .split("Content-Security-Policy\" content=\"")
        .nth(1)
        .unwrap();
    let policy = policy.split('"').next().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
}

#[test]
fn what_is_gone_is_said_and_the_rest_is_shown() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    std::fs::remove_dir_all(sandbox.path("bars")).unwrap();
    std::fs::remove_file(sandbox.path("out/events.jsonl")).unwrap();
    let output = sandbox.juggle("report out");
    assert!(
        output.stderr.contains("warning: out: the data folder "),
        "{}",
        output.stderr
    );
    output.done();
    let page = sandbox.read("out/report.html");
    check(&page);
    for part in [
        "so nothing was measured",
        "the run has no event log",
        "No epoch was recorded",
        "total",
    ] {
        assert!(part == "total" || text(&page).contains(part), "{part}");
    }
    assert_eq!(
        sandbox.juggle("report nowhere").error(),
        "there is no run folder nowhere"
    );
}

#[test]
fn an_epoch_and_losses_that_are_no_numbers_have_curves() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let line = |epoch: usize, loss: &str| {
        format!(
            "{{\"kind\":\"epoch\",\"epoch\":{epoch},\"step\":{epoch},\"learning_rate\":{},\"train\":{{\"loss\":{loss}}},\
             \"val\":{{\"loss\":{loss},\"accuracy\":0.5}},\"elapsed_s\":1.0,\"unix_time_s\":1.0}}\n",
            0.1 / epoch as f64
        )
    };
    for log in [
        line(1, "0.5"),
        line(1, "\"NaN\""),
        line(1, "0.5") + &line(2, "\"inf\"") + &line(3, "0.25"),
        line(1, "0.5") + "{\"kind\":\"epoch\",\"ep",
    ] {
        sandbox.write("out/events.jsonl", &log);
        let page = report(&sandbox, "out");
        check(&page);
        assert!(page.contains("id=\"classifier-loss\""));
        let drawn = page
            .split(" d=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap());
        assert!(
            drawn
                .into_iter()
                .all(|d| !d.contains("NaN") && !d.contains("inf")),
            "{log}"
        );
    }
}

#[test]
fn runs_side_by_side_are_compared_on_the_same_images() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("one");
    sandbox
        .juggle("train classifier --data bars --run two --epochs 2 --seed 7 --batch-norm --threads 1 --schedule cosine")
        .done();
    let before = sandbox.read("one/report.html");
    let page = report(&sandbox, "one two");
    check(&page);
    assert_eq!(
        sandbox.read("one/report.html"),
        before,
        "several runs have a page of their own"
    );
    for part in [
        "2 runs",
        "two against one: McNemar's test",
        "Values that differ",
        "learning rate of each epoch",
    ] {
        assert!(text(&page).contains(part), "{part}");
    }
    let runs: Vec<String> = (0..11).map(|i| format!("copy{i}")).collect();
    for run in &runs {
        for file in ["config.toml", "events.jsonl", "best.safetensors"] {
            let bytes = sandbox.bytes(&format!("one/{file}"));
            std::fs::create_dir_all(sandbox.path(run)).unwrap();
            std::fs::write(sandbox.path(&format!("{run}/{file}")), bytes).unwrap();
        }
    }
    check(&report(
        &sandbox,
        &format!("{} --out many.html", runs.join(" ")),
    ));
    sandbox.train_bars("three");
    let page = report(
        &sandbox,
        "one three --data bars --split val --out same.html",
    );
    assert!(
        text(&page).contains("1.0000"),
        "equal runs differ by chance: {page}"
    );
}

#[test]
fn many_classes_have_a_list_in_place_of_a_matrix() {
    let sandbox = Sandbox::new();
    for class in 0..32 {
        for split in ["train", "val", "test"] {
            let name = format!("many/{split}/class{class:02}/0.png");
            sandbox.write_gray(&name, 8, |y, x| if y * 8 + x == class { 250 } else { 10 });
        }
    }
    sandbox
        .juggle("train classifier --data many --run out --epochs 1 --threads 1")
        .done();
    let page = report(&sandbox, "out");
    check(&page);
    assert!(text(&page).contains("What is confused most, of 32 classes"));
    assert!(!text(&page).contains("Confusion matrix"));
}
