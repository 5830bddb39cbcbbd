//! Label files.

use expect_test::expect;

use crate::sandbox::Sandbox;

#[test]
fn the_report_is_scikit_learn_s() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "labels.csv",
        "file,pred,true\na,cat,cat\nb,cat,dog\nc,dog,dog\nd,dog,dog\n",
    );
    let text = sandbox.juggle("metrics report labels.csv").done();
    expect![[r#"
                      precision    recall  f1-score   support

                 cat       0.50      1.00      0.67         1
                 dog       1.00      0.67      0.80         3

            accuracy                           0.75         4
           macro avg       0.75      0.83      0.73         4
        weighted avg       0.88      0.75      0.77         4
    "#]]
    .assert_eq(&text);
    let text = sandbox
        .juggle("metrics report labels.csv --digits 4")
        .done();
    assert!(text.contains("0.6667"), "{text}");
    let report = sandbox.juggle("metrics report labels.csv --json").json();
    assert_eq!(
        report.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["cat", "dog", "accuracy", "macro avg", "weighted avg"]
    );
    assert_eq!(report["dog"]["f1-score"], 0.8);
}

#[test]
fn label_files_that_cannot_be_read_are_named() {
    let sandbox = Sandbox::new();
    let error = |text: &str| {
        sandbox.write("labels.csv", text);
        sandbox.juggle("metrics report labels.csv").error()
    };
    assert_eq!(
        error("truth,pred\na,a\n"),
        "labels.csv has no column `true`, expected a header line with true and pred, found truth,pred"
    );
    assert_eq!(
        error("true\na\n"),
        "labels.csv has no column `pred`, expected a header line with true and pred, found true"
    );
    assert_eq!(
        error("true,pred\n"),
        "labels.csv has no lines below its header"
    );
    let ragged = error("true,pred\na,b\na\n");
    assert!(
        ragged.starts_with("cannot read labels.csv: ") && ragged.contains("line: 3"),
        "{ragged}"
    );
    let missing = sandbox.juggle("metrics report nowhere.csv").error();
    assert!(
        missing.starts_with("cannot read nowhere.csv: No such file"),
        "{missing}"
    );
    // A byte order mark, as spreadsheets write it, is no part of a name.
    sandbox.write("labels.csv", "\u{feff}true, pred\na, a\nb, b\n");
    let report = sandbox.juggle("metrics report labels.csv --json").json();
    assert_eq!(
        report["accuracy"], 1.0,
        "spaces around a value are no part of it either"
    );
}

/// Values are those of scikit-learn 1.9.1 with `labels`, `sample_weight` and `zero_division=np.nan`.
#[test]
fn rows_weights_and_empty_scores_are_as_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "labels.csv",
        "true,pred,weight\ncat,cat,1\ncat,dog,0.5\ndog,dog,2\nbird,dog,1.5\n",
    );
    let command =
        "metrics report labels.csv --labels dog,cow --zero-division nan --sample-weight weight";
    let text = sandbox.juggle(command).done();
    expect![[r#"
                      precision    recall  f1-score   support

                 dog       0.50      1.00      0.67       2.0
                 cow        nan       nan       nan       0.0

           micro avg       0.50      1.00      0.67       2.0
           macro avg       0.50      1.00      0.67       2.0
        weighted avg       0.50      1.00      0.67       2.0
    "#]]
    .assert_eq(&text);
    let json = sandbox.juggle(&format!("{command} --json")).json();
    assert_eq!(json["dog"]["precision"], 0.5);
    assert_eq!(json["micro avg"]["recall"], 1.0);
    assert!(json["cow"]["recall"].is_null(), "{json}");
    assert!(json.get("accuracy").is_none(), "{json}");

    let error = |arguments: &str| {
        sandbox
            .juggle(&format!("metrics report labels.csv {arguments}"))
            .error()
    };
    assert_eq!(
        error("--sample-weight w"),
        "labels.csv has no column `w`, expected a header line with true, pred and w, found true,pred,weight"
    );
    assert_eq!(
        error("--sample-weight pred"),
        "labels.csv, line 2: the weight `cat` is not a finite number"
    );
}
