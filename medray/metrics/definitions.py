"""What every number of an evaluation is, and where it is defined."""

from __future__ import annotations

INTERVALS = (
    "percentile bootstrap over subjects, each drawn with all its rows: Efron and Tibshirani 1993, chapter 13; "
    "Field and Welsh, JRSS B 2007. That of the ECE is moved onto its value: resampling makes it larger"
)
# name -> (definition, source)
DEFINITIONS: dict[str, tuple[str, str]] = {
    "auroc": (
        "probability that a random positive scores above a random negative, ties one half",
        "Hanley and McNeil, Radiology 1982",
    ),
    "auprc": (
        "average precision: precision at each positive, in the order of the scores, averaged",
        "Davis and Goadrich, ICML 2006",
    ),
    "accuracy": ("decisions that are right / all decisions", "Altman and Bland, BMJ 1994"),
    "sensitivity": ("true positives / positives", "Altman and Bland, BMJ 1994"),
    "specificity": ("true negatives / negatives", "Altman and Bland, BMJ 1994"),
    "ppv": ("true positives / positive decisions", "Altman and Bland, BMJ 1994"),
    "npv": ("true negatives / negative decisions", "Altman and Bland, BMJ 1994"),
    "f1": ("2 true positives / (2 true positives + false positives + false negatives)", "van Rijsbergen 1979"),
    "min_sensitivity_ppv": (
        "the lower of sensitivity and PPV",
        "Silva et al., Computing in Cardiology 2012, event 1",
    ),
    "brier": ("mean of (probability - truth) squared", "Brier, Monthly Weather Review 1950"),
    "ece": (
        "mean over bins of |mean probability - share of positives|, by rows; at most 10 bins of equally many rows, "
        "equal probabilities in one bin",
        "Naeini et al., AAAI 2015; bins of equal mass: Nixon et al., CVPR workshops 2019",
    ),
    "calibration_slope": (
        "b of logit P(y = 1) = a + b logit(p), by maximum likelihood; p within 1e-6 of 0 or 1 counts as there; not "
        "defined where scores separate the classes",
        "Cox, Biometrika 1958; Van Calster et al., BMC Medicine 2019",
    ),
    "calibration_intercept": (
        "a of logit P(y = 1) = a + logit(p): calibration in the large",
        "Cox, Biometrika 1958; Van Calster et al., BMC Medicine 2019",
    ),
    "observed_to_expected": (
        "positives / sum of probabilities; 1 is honest, above 1 scores are too low",
        "Debray et al., BMJ 2017",
    ),
    "macro_auroc": ("mean AUROC of each part against the rest, over the parts with both answers", "Fawcett 2006"),
    "balanced_accuracy": ("mean over classes of the share found", "Brodersen et al., ICPR 2010"),
    "quadratic_kappa": ("1 - observed / chance disagreement, weighted by squared distance", "Cohen 1968"),
    "rank_mae": ("mean distance of decision and truth, in classes", "Baccianella et al., ISDA 2009"),
    "within_one": ("share decided for the right class or a neighbour", "as said"),
    "mae": ("mean of |prediction - truth|", "Willmott and Matsuura 2005"),
    "rmse": ("square root of the mean of (prediction - truth) squared", "Willmott and Matsuura 2005"),
    "r2": ("1 - squared errors / squared distances from the mean truth", "Draper and Smith 1998"),
    "mean_error": ("mean of prediction - truth: the bias", "Bland and Altman, Lancet 1986"),
    "coverage": ("share of truths inside their prediction interval", "Lei et al., JASA 2018"),
    "width": ("mean width of the prediction intervals", "Lei et al., JASA 2018"),
    "net_benefit": (
        "true positives / n - false positives / n * t / (1 - t) at threshold t",
        "Vickers and Elkin, Medical Decision Making 2006",
    ),
    "gap": ("metric of a group minus metric of all other rows whose group is known", "as said"),
    "p": (
        "two-sided, of the paired bootstrap by subject: both models on the same draws",
        "Davison and Hinkley 1997, section 4.4",
    ),
    "delong": (
        "two-sided p of the difference of two correlated AUROCs; one row a subject only",
        "DeLong, DeLong and Clarke-Pearson, Biometrics 1988; Sun and Xu 2014",
    ),
    "mcnemar": (
        "exact two-sided p of the rows that only one model has right; one row a subject only",
        "McNemar, Psychometrika 1947",
    ),
}


def definitions() -> dict[str, dict[str, str]]:
    """As JSON, with how intervals are made under "intervals"."""
    found = {name: {"definition": words, "source": source} for name, (words, source) in DEFINITIONS.items()}
    return {**found, "intervals": {"definition": "95% intervals", "source": INTERVALS}}
