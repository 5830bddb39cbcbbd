//! `juggle runs`: tables of run folders, one run, runs side by side.

use expect_test::expect;

use crate::sandbox::Sandbox;

/// Two classifiers that differ in two settings, one of them interrupted; an autoencoder whose process died; a folder that is no run.
fn three_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    write_run(&sandbox, "runs/classifier-2", ("classifier", "0.001", 4), &[
        started("classifier", 4),
        epoch(1, "1.05", r#""accuracy":0.4"#),
        epoch(2, "0.7", r#""accuracy":0.8"#),
        stopped("interrupted", 2),
        r#"{"kind":"resumed","version":"0.1.0","step":76,"epoch":3,"epochs":4,"unix_time_s":1750000100.0}"#.to_owned(),
        epoch(3, "0.3", r#""accuracy":0.9"#),
        epoch(4, "0.35", r#""accuracy":0.95"#),
        finished(4, 3),
    ]);
    write_run(
        &sandbox,
        "runs/classifier-10",
        ("classifier", "0.002", 8),
        &[
            started("classifier", 8),
            epoch(1, "1.0", r#""accuracy":0.5"#),
            stopped("time_limit", 1),
        ],
    );
    write_run(
        &sandbox,
        "runs/frames",
        ("autoencoder", "0.001", 30),
        &[
            started("autoencoder", 30),
            epoch(1, "0.02", r#""psnr_db":18.125"#),
            epoch(2, "0.01", r#""psnr_db":"inf""#),
        ],
    );
    sandbox.write("runs/notes/today.txt", "no run");
    sandbox
}

fn write_run(
    sandbox: &Sandbox,
    name: &str,
    (kind, rate, epochs): (&str, &str, usize),
    events: &[String],
) {
    let config = format!(
        "kind = \"{kind}\"\nseed = 0\n\n[data]\npath = \"/data/balls\"\n\n\
         [training]\nepochs = {epochs}\nlearning_rate = {rate}\n"
    );
    sandbox.write(&format!("{name}/config.toml"), &config);
    sandbox.write(&format!("{name}/events.jsonl"), &(events.join("\n") + "\n"));
}

fn started(task: &str, epochs: usize) -> String {
    format!(
        r#"{{"kind":"started","version":"0.1.0","task":"{task}","epochs":{epochs},"steps_per_epoch":38,"train_examples":1200,"val_examples":240,"parameters":77539,"data_sha256":"","unix_time_s":1750000000.5}}"#
    )
}

fn epoch(epoch: usize, val_loss: &str, metric: &str) -> String {
    let (step, elapsed) = (38 * epoch, 40.5 * epoch as f64);
    format!(
        r#"{{"kind":"epoch","epoch":{epoch},"step":{step},"learning_rate":0.001,"train":{{"loss":1.5}},"val":{{"loss":{val_loss},{metric}}},"elapsed_s":{elapsed},"epoch_s":40.5,"engine_s":40.0,"is_best":true,"unix_time_s":1750000050.0}}"#
    )
}

fn stopped(reason: &str, epoch: usize) -> String {
    let step = 38 * epoch;
    format!(
        r#"{{"kind":"stopped","reason":"{reason}","epoch":{epoch},"step":{step},"unix_time_s":1750000060.0}}"#
    )
}

fn finished(epoch: usize, best: usize) -> String {
    let step = 38 * epoch;
    format!(
        r#"{{"kind":"finished","reason":"epochs","epoch":{epoch},"step":{step},"best_epoch":{best},"train":{{"loss":0.1}},"val":{{"loss":0.35}},"unix_time_s":1750000160.0}}"#
    )
}

#[test]
fn a_table_has_the_runs_of_a_kind_together() {
    let sandbox = three_runs();
    expect![[r#"
        classifier          status       epochs  best  val loss  accuracy    time
        runs/classifier-2   finished        4/4     3   0.30000    0.9000  2m 42s
            epochs 4, learning_rate 0.001
        runs/classifier-10  interrupted     1/8     1   1.00000    0.5000     41s
            epochs 8, learning_rate 0.002

        autoencoder  status  epochs  best  val loss  PSNR dB    time
        runs/frames  died      2/30     2   0.01000      inf  1m 21s
    "#]]
    .assert_eq(&sandbox.juggle("runs list").done());
    assert_eq!(
        sandbox.juggle("runs list runs").done(),
        sandbox.juggle("runs list runs runs/frames").done(),
        "each run once"
    );
}

#[test]
fn one_run_has_its_curves() {
    let sandbox = three_runs();
    expect![[r#"
        run      runs/classifier-2
        kind     classifier
        status   finished, 4/4 epochs, 152 steps, resumed once
        began    2025-06-15T15:06:40Z
        trained  2m 42s

                            best (epoch 3)    last (epoch 4)
        val loss                   0.30000           0.35000
        val accuracy                0.9000            0.9500
        train loss                 1.50000           1.50000

        curves over 4 epochs, from the first value to the last
        val loss            1.05000  █▆▁▁                                        0.35000
        val accuracy         0.4000  ▁▆██                                         0.9500
        train loss          1.50000  ▄▄▄▄                                        1.50000
        learning rate      1.000e-3  ▄▄▄▄                                       1.000e-3

        settings that are not the defaults
        data.path        /data/balls
        training.epochs  4
    "#]]
    .assert_eq(&sandbox.juggle("runs show runs/classifier-2").done());
    expect![[r#"
        epoch,step,learning_rate,elapsed_s,val_loss,val_psnr_db,train_loss
        1,38,0.001,40.5,0.02,18.125,1.5
        2,76,0.001,81,0.01,inf,1.5
    "#]]
    .assert_eq(&sandbox.juggle("runs show runs/frames --csv").done());
}

#[test]
fn runs_stand_side_by_side() {
    let sandbox = three_runs();
    expect![[r#"
        run                     runs/classifier-2  runs/classifier-10
        kind                           classifier          classifier
        status                           finished         interrupted
        epochs                                4/4                 1/8
        time                               2m 42s                 41s
        best epoch                              3                   1
        val loss                         *0.30000             1.00000
        val accuracy                      *0.9000              0.5000
        training.epochs                         4                   8
        training.learning_rate              0.001               0.002
        val loss curve                       █▆▁▁                   ▄
    "#]]
    .assert_eq(
        &sandbox
            .juggle("runs compare runs/classifier-2 runs/classifier-10")
            .done(),
    );
    let document = sandbox.juggle("runs compare --json").json();
    assert_eq!(document["runs"].as_array().unwrap().len(), 3);
    assert_eq!(
        document["differences"]["training.learning_rate"],
        serde_json::json!([0.001, 0.002, 0.001])
    );
    let csv = sandbox.juggle("runs compare --csv").done();
    assert!(
        csv.starts_with("run,runs/classifier-2,runs/classifier-10,runs/frames\nkind,classifier,"),
        "{csv}"
    );
}

#[test]
fn json_has_what_scripts_rely_on() {
    let sandbox = three_runs();
    let list = sandbox.juggle("runs list --json").json();
    let first = &list[0];
    assert_eq!(first["run"], "runs/classifier-2");
    assert_eq!(first["kind"], "classifier");
    assert_eq!(first["status"], "finished");
    assert_eq!(first["best"]["epoch"], 3);
    assert_eq!(first["best"]["val"]["accuracy"], 0.9);
    assert_eq!(first["config"]["training"]["learning_rate"], 0.001);
    assert_eq!(
        (&first["steps"], &first["resumptions"]),
        (&152.into(), &1.into())
    );
    let statuses: Vec<_> = (0..3)
        .map(|i| list[i]["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["finished", "interrupted", "died"]);
    assert_eq!(list[2]["last"]["val"]["psnr_db"], "inf");

    let show = sandbox.juggle("runs show runs/classifier-2 --json").json();
    assert_eq!(show["events"].as_array().unwrap().len(), 8);
    assert_eq!(show["events"][1]["val"]["loss"], 1.05);

    let csv = sandbox.juggle("runs list --csv").done();
    let mut reader = csv.lines();
    assert_eq!(
        reader.next().unwrap(),
        "run,kind,status,epochs,steps,resumptions,elapsed_s,best_epoch,best_val_loss,best_val_accuracy,best_val_psnr_db,\
         config.data.path,config.kind,config.seed,config.training.epochs,config.training.learning_rate"
    );
    assert_eq!(
        reader.next().unwrap(),
        "runs/classifier-2,classifier,finished,4,152,1,162,3,0.3,0.9,,/data/balls,classifier,0,4,0.001"
    );
}

#[test]
fn tables_fit_80_columns() {
    let sandbox = three_runs();
    let long = "runs/a-name-that-goes-on-and-on-until-nobody-can-read-it-any-more-in-any-table";
    for i in 0..5 {
        let name = format!("{long}-{i}");
        let rate = format!("0.00{i}");
        write_run(
            &sandbox,
            &name,
            ("classifier", &rate, 1000),
            &[
                started("classifier", 1000),
                epoch(1000, "12345.678", r#""accuracy":1.0"#),
            ],
        );
    }
    for command in ["list", "compare", &format!("show {long}-1")] {
        let text = sandbox.juggle(&format!("runs {command}")).done();
        for line in text
            .lines()
            .filter(|line| !line.starts_with("run  ") || command != "show")
        {
            let is_name = line.contains(long);
            assert!(line.chars().count() <= 80 || is_name, "{line}");
        }
    }
}

#[test]
fn real_runs_are_read() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("runs/bars");
    let run = &sandbox.juggle("runs list --json").json()[0];
    assert_eq!(
        (&run["status"], &run["epochs"]),
        (&"finished".into(), &2.into())
    );
    assert_eq!(run["metrics"], sandbox.json("runs/bars/metrics.json"));
    assert_eq!(run["best"]["epoch"], run["metrics"]["best_epoch"]);
    let text = sandbox.juggle("runs show runs/bars").done();
    assert!(text.contains("\nval accuracy "), "{text}");
}

#[test]
fn a_log_of_before_there_were_kinds_is_read() {
    let sandbox = Sandbox::new();
    let event = r#"{"epoch":1,"step":8,"learning_rate":0.001,"train":{"loss":0.9},"val":{"loss":0.8,"accuracy":0.5},"elapsed_s":3.5}"#;
    write_run(
        &sandbox,
        "old",
        ("classifier", "0.001", 2),
        &[event.to_owned()],
    );
    assert_eq!(
        sandbox.juggle("runs list old --json").json()[0]["status"],
        "died"
    );
    sandbox.write("old/metrics.json", "{\"kind\":\"classifier\"}");
    assert_eq!(
        sandbox.juggle("runs list old --json").json()[0]["status"],
        "finished"
    );
}

#[test]
fn a_run_that_has_just_begun_has_no_curves() {
    let sandbox = Sandbox::new();
    write_run(&sandbox, "new", ("classifier", "0.001", 2), &[]);
    std::fs::remove_file(sandbox.path("new/events.jsonl")).unwrap();
    let text = sandbox.juggle("runs show new").done();
    assert!(text.contains("no epoch has ended yet"), "{text}");
    sandbox.juggle("runs list new").done();
    sandbox.juggle("runs compare new").done();
}

#[test]
fn a_torn_last_line_is_left_out() {
    let sandbox = three_runs();
    let log = sandbox.read("runs/classifier-10/events.jsonl");
    sandbox.write(
        "runs/classifier-10/events.jsonl",
        &(log + "{\"kind\":\"resu"),
    );
    let output = sandbox.juggle("runs show runs/classifier-10");
    assert!(
        output.stderr.contains(
            "the last line of events.jsonl in runs/classifier-10 is torn and left out: 13 bytes"
        ),
        "{}",
        output.stderr
    );
    assert!(output.done().contains("interrupted, 1/8 epochs, 38 steps"));
}

#[test]
fn a_broken_log_is_named_and_the_others_are_listed() {
    let sandbox = three_runs();
    sandbox.write(
        "runs/frames/events.jsonl",
        "{\"kind\":\"epoch\"}\nnothing\n",
    );
    let output = sandbox.juggle("runs list --json");
    assert!(
        output.stderr.starts_with(
            "warning: runs/frames/events.jsonl:1 is not an event: missing field `epoch`"
        ),
        "{}",
        output.stderr
    );
    let run = &output.json()[2];
    assert_eq!(run["status"], "unreadable");
    assert!(run["error"].as_str().unwrap().contains("events.jsonl:1"));
    let error = sandbox.juggle("runs show runs/frames").error();
    assert!(
        error.starts_with("runs/frames/events.jsonl:1 is not an event"),
        "{error}"
    );
}

#[test]
fn what_is_no_run_is_named() {
    let sandbox = three_runs();
    assert_eq!(
        sandbox.juggle("runs list nowhere").error(),
        "there is no folder nowhere: name a run folder, or a folder that holds run folders"
    );
    assert_eq!(
        sandbox.juggle("runs compare runs runs/notes").error(),
        "runs/notes is not a run folder (no config.toml of a run in it), and holds none"
    );
    assert_eq!(
        sandbox.juggle("runs show runs/notes/today.txt").error(),
        "runs/notes/today.txt is a file: expected a run folder, or a folder that holds run folders"
    );
    assert_eq!(
        sandbox.juggle("runs show runs").error(),
        "runs holds run folders and is none itself: name one of them, such as runs/classifier-2"
    );
    assert_eq!(
        Sandbox::new().juggle("runs list").error(),
        "there is no folder runs: name a run folder, or a folder that holds run folders"
    );
    assert_eq!(sandbox.juggle("runs list --json --csv").code, Some(2));
}
