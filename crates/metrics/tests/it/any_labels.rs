//! Labels, probabilities and options drawn from bytes: whatever they are, a metric answers with a number or an error.

use juggle_metrics::ndarray::Array2;
use juggle_metrics::{
    ClassificationReport, ConfusionMatrix, KappaWeights, ReportOptions, ShareOf, ZeroDivision,
    average_precision, expected_calibration_error, log_loss, roc_auc, roc_auc_one_vs_rest,
    top_k_accuracy, weighted_confusion_matrix,
};

use crate::draw::Draw;

pub(crate) fn run(bytes: &[u8]) {
    let mut draw = Draw(bytes);
    let n_classes = draw.pick(&[0, 1, 2, 3, 7, 33, 40, 200]);
    let n_labels = draw.below(40);
    let n_predicted = if draw.below(8) == 0 {
        draw.below(40)
    } else {
        n_labels
    };
    // Now and then a label that is no class.
    let mut labels = |n: usize| -> Vec<usize> {
        let most = (n_classes + usize::from(draw.below(8) == 0)).max(1);
        (0..n).map(|_| draw.below(most)).collect()
    };
    let (truth, predicted) = (labels(n_labels), labels(n_predicted));
    reports(&mut draw, &truth, &predicted, n_classes);
    if let Ok(matrix) = ConfusionMatrix::new(&truth, &predicted, n_classes) {
        numbers_of(&matrix);
    }
    scores(&mut draw, &truth, n_classes);
}

fn reports(draw: &mut Draw<'_>, truth: &[usize], predicted: &[usize], n_classes: usize) {
    let names: Vec<String> = (0..n_classes)
        .map(|class| {
            draw.pick(&["", "a", "7", "macro avg", "é"])
                .repeat(class % 3)
        })
        .collect();
    let zero_division = draw.pick(&[ZeroDivision::Zero, ZeroDivision::One, ZeroDivision::Nan]);
    let mut options = ReportOptions::new().zero_division(zero_division);
    if draw.below(3) == 0 {
        let weights: Vec<f64> = (0..truth.len()).map(|_| draw.number()).collect();
        let _ = weighted_confusion_matrix(truth, predicted, &weights, n_classes);
        options = options.sample_weight(&weights);
    }
    if draw.below(3) == 0 {
        options = options.labels((0..draw.below(4)).map(|_| draw.pick(&["", "a", "7", "aa"])));
    }
    let digits = draw.pick(&[0, 2, 17, 60_000]);
    let texts = |labels: &[usize]| {
        labels
            .iter()
            .map(|&l| names.get(l).cloned().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    let beta = draw.number();
    for report in [
        options.report(truth, predicted, &names),
        options.report_of_text(&texts(truth), &texts(predicted)),
        options.report_of_labels(truth, predicted),
        ClassificationReport::new(truth, predicted, &names),
    ]
    .into_iter()
    .flatten()
    {
        assert!(report.to_text(digits).ends_with('\n'));
        let _ = report.f_beta(beta);
    }
}

fn numbers_of(matrix: &ConfusionMatrix) {
    for share_of in [ShareOf::True, ShareOf::Predicted, ShareOf::All] {
        assert!(
            matrix
                .normalized(share_of)
                .iter()
                .all(|share| (0.0..=1.0).contains(share))
        );
    }
    for weights in [
        KappaWeights::Equal,
        KappaWeights::Linear,
        KappaWeights::Quadratic,
    ] {
        if let Ok(kappa) = matrix.cohen_kappa(weights) {
            assert!(kappa.is_finite());
        }
    }
    assert!((0.0..=1.0).contains(&matrix.accuracy()));
    assert!((0.0..=1.0).contains(&matrix.balanced_accuracy()));
    assert!((-1.0 - 1e-12..=1.0 + 1e-12).contains(&matrix.matthews_corrcoef()));
}

fn scores(draw: &mut Draw<'_>, labels: &[usize], n_classes: usize) {
    let n_columns = if draw.below(8) == 0 {
        draw.below(9)
    } else {
        n_classes.min(9)
    };
    let n_rows = if draw.below(8) == 0 {
        draw.below(9)
    } else {
        labels.len()
    };
    let mut matrix = Array2::from_shape_simple_fn((n_rows, n_columns), || draw.number().abs());
    if draw.below(2) == 0 {
        for mut row in matrix.rows_mut() {
            let sum = row.sum();
            row /= sum;
        }
    }
    let n = draw.below(12);
    let answers = [
        log_loss(labels, matrix.view()),
        top_k_accuracy(labels, matrix.view(), n),
        expected_calibration_error(labels, matrix.view(), n),
    ];
    assert!(answers.into_iter().flatten().all(f64::is_finite));
    let _ = roc_auc_one_vs_rest(labels, matrix.view());
    let is_positive: Vec<bool> = labels.iter().map(|label| label % 2 == 0).collect();
    let ranks: Vec<f64> = (0..n_rows).map(|_| draw.number()).collect();
    for value in [
        roc_auc(&is_positive, &ranks),
        average_precision(&is_positive, &ranks),
    ]
    .into_iter()
    .flatten()
    {
        assert!((0.0..=1.0 + 1e-12).contains(&value));
    }
}
