use super::*;

fn plan(size: Size) -> Plan {
    Plan {
        size,
        classifier_epochs: 25,
        autoencoder_epochs: 30,
        classifier_seeds: vec![0, 1, 2],
        autoencoder_seeds: vec![0],
        out: "out".into(),
    }
}

fn names(stages: &[Stage]) -> Vec<&str> {
    stages.iter().map(|stage| stage.name.as_str()).collect()
}

fn only(selectors: &[&str]) -> Result<Vec<String>, String> {
    let selectors: Vec<_> = selectors.iter().map(|&s| s.to_owned()).collect();
    let stages = select(plan(Size::Full).stages(), &selectors)?;
    Ok(stages.into_iter().map(|stage| stage.name).collect())
}

#[test]
fn every_recipe_has_a_stage_for_every_seed() {
    let stages = plan(Size::Full).stages();
    let count = |prefix: &str| stages.iter().filter(|s| s.name.starts_with(prefix)).count();
    assert_eq!(count("classifier/"), 18);
    assert_eq!(count("autoencoder/"), 4);
    assert_eq!(count("fresh/"), 18);
    // Two searches and their winners, and that for the autoencoder, whose winner is a recipe.
    assert_eq!(count("search/"), 2 + 6 + 1);
    assert!(names(&stages).contains(&"classifier/searched/seed-2"));
}

#[test]
fn dependencies_come_before_their_dependents_and_exist() {
    for size in [Size::Full, Size::Quick] {
        let stages = plan(size).stages();
        for (index, stage) in stages.iter().enumerate() {
            for dependency in &stage.after {
                let position = stages.iter().position(|other| &other.name == dependency);
                assert!(
                    position.is_some_and(|p| p < index),
                    "{} after {dependency}",
                    stage.name
                );
            }
        }
    }
}

#[test]
fn recipes_are_the_published_ones() {
    let stages = plan(Size::Full).stages();
    let line = |name: &str, step: usize| {
        stages
            .iter()
            .find(|stage| stage.name == name)
            .unwrap()
            .steps[step]
            .line()
    };
    assert_eq!(
        line("classifier/tuned/seed-1", 0),
        "juggle train classifier --data data/balls --run out/runs/classifier/tuned/seed-1 \
         --batch-size 32 --optimizer adam --schedule constant --lr 0.001 --weight-decay 0.001 \
         --batch-norm --epochs 25 --seed 1 --threads 1 --device cpu --overwrite"
    );
    assert_eq!(
        line("classifier/tuned/seed-1", 1),
        "juggle evaluate out/runs/classifier/tuned/seed-1 --split test --weights last --json \
         --threads 1 --device cpu > out/evaluations/classifier/tuned/seed-1.json"
    );
    assert_eq!(
        line("autoencoder/no-skip/seed-0", 0),
        "juggle train autoencoder --data data/frames --run out/runs/autoencoder/no-skip/seed-0 \
         --input-frames 4 --batch-size 16 --optimizer adam --schedule constant --lr 0.001 \
         --weight-decay 0.00005 --no-skip --epochs 30 --seed 0 --threads 1 --device cpu --overwrite"
    );
    assert_eq!(
        line("fresh/robust/seed-2", 1),
        "juggle evaluate out/runs/classifier/robust/seed-2 --data out/fresh/wide --split test --weights last --json \
         --no-report --predictions out/fresh/results/wide/robust/seed-2.csv --threads 1 --device cpu \
         > out/fresh/results/wide/robust/seed-2.json"
    );
    assert_eq!(
        line("autoencoder/searched/seed-0", 0),
        "juggle train autoencoder --data data/frames --run out/runs/autoencoder/searched/seed-0 \
         --input-frames 4 --config out/searches/frames/best.toml --epochs 50 --seed 0 --threads 1 --device cpu --overwrite"
    );
    assert_eq!(
        line("autoencoder/tuned/seed-0", 1),
        "juggle evaluate out/runs/autoencoder/tuned/seed-0 --split val --weights last --json \
         --pictures out/figures/autoencoder-tuned-seed-0.png --threads 1 --device cpu \
         > out/evaluations/autoencoder/tuned/seed-0.json"
    );
}

#[test]
fn fewer_epochs_are_fewer_for_every_autoencoder() {
    let epochs = |autoencoder_epochs, name: &str| {
        let stages = Plan {
            autoencoder_epochs,
            ..plan(Size::Full)
        }
        .stages();
        let stage = stages.iter().find(|stage| stage.name == name).unwrap();
        let line = stage.steps[0].line();
        let (_, rest) = line.split_once("--epochs ").unwrap();
        rest.split(' ').next().unwrap().to_owned()
    };
    assert_eq!(epochs(6, "autoencoder/tuned/seed-0"), "6");
    assert_eq!(epochs(6, "autoencoder/searched/seed-0"), "10");
    assert_eq!(epochs(1, "autoencoder/searched/seed-0"), "1");
}

#[test]
fn a_quick_run_trains_the_autoencoder_on_a_copy_of_a_few_clips() {
    let stages = plan(Size::Quick).stages();
    let stage = stages
        .iter()
        .find(|stage| stage.name == "autoencoder/original/seed-0")
        .unwrap();
    assert!(stage.steps[0].line().contains("--data out/quick-frames "));
    assert_eq!(stage.after, ["data/quick-clips"]);
}

#[test]
fn only_selects_by_leading_names_and_brings_dependencies() {
    assert_eq!(only(&["summary"]).unwrap(), ["summary"]);
    assert_eq!(
        only(&["classifier/tuned"]).unwrap(),
        [
            "data/synth",
            "classifier/tuned/seed-0",
            "classifier/tuned/seed-1",
            "classifier/tuned/seed-2"
        ]
    );
    assert_eq!(only(&["classifier/"]).unwrap().len(), 19);
    assert_eq!(only(&["report"]).unwrap(), [""; 0]);
    assert_eq!(
        only(&["fresh/l2/seed-1"]).unwrap(),
        [
            "data/synth",
            "classifier/l2/seed-1",
            "data/fresh",
            "fresh/l2/seed-1"
        ]
    );
    assert_eq!(only(&["roll-out/tuned"]).unwrap().len(), 3);
    assert_eq!(only(&[]).unwrap().len(), 25 + 1 + 18 + 3 + 4 + 8 + 1);
}

#[test]
fn a_selector_that_matches_nothing_is_named() {
    assert_eq!(only(&["summary", "class"]), Err("class".into()));
    assert_eq!(
        only(&["classifier/tuned/seed-10"]),
        Err("classifier/tuned/seed-10".into())
    );
}

#[test]
fn lines_are_quoted_for_a_shell() {
    let step = Step::Juggle {
        arguments: vec!["evaluate".into(), "my runs/it's".into()],
        stdout: Some("a b.json".into()),
    };
    assert_eq!(
        step.line(),
        r"juggle evaluate 'my runs/it'\''s' > 'a b.json'"
    );
}
