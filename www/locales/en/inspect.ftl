### The look inside the network and the plots.

## Metrics
metric-loss = Loss
metric-accuracy = Accuracy
metric-gradnorm = Gradient norm
metric-learningrate = Learning rate
metric-auc = AUC
metric-precision = Precision
metric-recall = Recall
metric-f1 = F1
metric-top5 = Top-5 accuracy
metric-perplexity = Perplexity
metric-mse = MSE
metric-mae = MAE
metric-r2 = R²
about-loss = The mean loss per sample, with dropout off and without penalties on the weights
about-accuracy = Share of samples whose class was predicted
about-auc = Area under the ROC curve: how likely a random positive sample scores above a random negative one. 0.5 is chance, 1 is perfect
about-mse = Mean squared error, in the squared unit of the target
about-mae = Mean absolute error, in the unit of the target
about-r2 = Share of the target's variance that the prediction explains: 1 is perfect, 0 is no better than always saying the mean
about-recall = Share of the samples of this class that were recognised
axis-step = Step
axis-epoch = Epoch

## Curves
plot-title = Curves of loss and metric
plot-empty = The loss of every training step will be drawn here, with the validation loss beside it where the data have a validation part. Press Train to begin.
plot-chart-label = { $metric } over the steps. Arrow keys move along the steps; plus and minus zoom, 0 shows all.
plot-chart-label-epochs = { $metric } over the epochs. Arrow keys move along the epochs; plus and minus zoom, 0 shows all.
plot-zoom-hint = Drag over a range to zoom in; the wheel or two fingers zoom, Shift and drag moves, a double click shows all
plot-zoom = Zoom
plot-zoom-in = Zoom in
plot-zoom-out = Zoom out
plot-zoom-reset = Show all
plot-zoom-reset-hint = Back to the whole course (key 0, or a double click)
plot-axis = What the curves are drawn over
plot-by-step = by step
plot-by-epoch = by epoch
plot-train = train
plot-validation = val
plot-raw = raw { $value }
plot-at-epoch = epoch { $epoch }
plot-at = step { $step } · epoch { $epoch }
plot-metric = Metric shown beside the loss
plot-smoothing = Smoothing
plot-smoothing-hint = Weight of the past in the exponential moving average (debiased): { $beta }. The faint line is the raw value of each step.
plot-log = log
plot-log-hint = Logarithmic axis: equal distances are equal ratios
plot-keep = Keep
plot-keep-hint = Keep these curves on the plot, to compare the next run with them
plot-kept = run { $number }
plot-save = Save
plot-csv-hint = Save every step or epoch of this run as a CSV file
plot-png-hint = Save the curves as a picture
plot-svg-hint = Save the curves as a drawing that stays sharp at any size (SVG)
plot-table = Loss and metric at some of the steps
spark-label = Loss { $loss }
spark-empty = No loss yet

## The look inside
inspect-pin = Keep this view open beside the next one
inspect-unpin = Close this view when another is chosen
inspect-pin-full = { $n } views are open at most; close one first
inspect-close = Close { $view }
inspect-title = Inside the network
inspect-waiting = Asking the network …
tab-series = Course
tab-fit = Fit
tab-boundary = Boundary
tab-surface = Surface
try-own = Try something of your own
tab-data = Data
tab-autoencoder = Reconstructions
tab-predictions = Predictions
tab-weights = Weights
tab-activations = Activations
tab-gradients = Gradients
tab-landscape = Loss surface
tab-neurons = Neurons
tab-evaluation = Evaluation
tab-saliency = Saliency
tab-code = Code
tab-plan = Plan
part-label = Samples of
part-train = training
part-validation = validation
part-test = test
pager = Pages
pager-back = Back
pager-on = On
pager-range = { $from }–{ $to } of { $total }
pager-one = sample { $number } of { $total }
legend-label = Colours from { $lo } to { $hi }

## Predictions
predictions-none = Samples of the data will stand here, each with what the network says of it. This part of the data has none; give it a share under Data.
predictions-mistakes = only mistakes
predictions-no-mistakes = No mistakes among these samples.
predictions-scanned = Of the first { $count } samples of { $total }.
verdict-right = right
verdict-wrong = wrong
sample-label = Sample { $number }, a { $truth }
sample-truth = The true class
sample-is = is { $truth }
sample-loss = loss { $loss }
rows-truth = Truth
rows-prediction = Prediction
rows-probability = Probability
rows-error = Error
rows-more = and { $count } more features
scatter-label = Predicted against true values; on the dashed line both are equal. R² { $r2 }
scatter-target = Target

## Try a value
try-title = Try a value
open-why =
    { $points ->
        [one] One training point gives { $equations } equation
       *[other] The { $points } training points give { $equations } equations
    } for { $unknowns } unknowns (one weight per feature, and the bias): many planes pass through all of them exactly. Which one training ends on depends on the weights it began with.
open-determined = Here all those planes agree: each of them gives { $value }, because this input lies in line with the training points. The network comes closer the longer it trains.
open-undetermined = At this input those planes disagree: the data do not say which value is right.
open-tutorial = The tutorial prints 4.6 for (5, 6) and calls 6.0 the true value. Neither follows from its two points: 100 epochs at this learning rate stop short of an exact fit from almost any initial weights.

## Weights
weights-layer = Layer
weights-quantity = Show
weights-as = as
weights-images = images, one per unit
weights-matrix = matrix
weights-values = weights and biases
weights-grad = gradients
weights-exp-avg = first moment (mean of gradients)
weights-exp-avg-sq = second moment (mean of squared gradients)
weights-momentum-buffer = momentum
weights-square-avg = mean of squared gradients
weights-sum = sum of squared gradients
weights-units = units { $from }–{ $to } of { $total }
weights-count =
    { $n ->
        [one] one value
       *[other] { $count } values
    }
weights-none-here = Layer { $layer } has no weights; this is { $shown }.
heat-label = Values of { $name } as colours
heat-value = { $row-name } { $row }, { $column-name } { $column }: { $value }
heat-hint = Point at a value to read it.
heat-cut = The first { $shown } rows of { $all }.
heat-unit = unit
heat-input = input
heat-pixel = pixel
heat-row = row
zoom-in = Enlarge
zoom-out = Reduce
histogram-label = Histogram of { $name }.
histogram-summary = mean { $mean } · deviation { $deviation } · from { $lo } to { $hi }
histogram-odd = { $count } values are not finite
histogram-value = value
histogram-count = count
histogram-from = from

## Boundary
plane-label = The network's output over { $x } and { $y }, with the samples
plane-hint = Point at the plane to read what the network says there.
plane-table = The network's output at some places of the plane
plane-held-out = test sample (outline)

## Fit
fit-label = The points, the network's curve and the line of least squares
fit-network = network
fit-least-squares = least squares
fit-made-from = made from
fit-caption = On the { $count } training points, in the data's own units
fit-weight = weight (slope)
fit-bias = bias (intercept)
fit-error = Standard error: repeated draws of such data would scatter the estimate by about this much
fit-curved = The network's curve is no straight line, so it has no slope and intercept to compare.
fit-note = Least squares solves for the best line at once; gradient descent walks towards the same line.

## Evaluation
evaluation-samples = Samples
confusion-title = Confusion matrix
confusion-caption = Counts on the { $part } part, with their share of the true class. Right answers stand on the diagonal.
confusion-corner = truth \ prediction
confusion-recall = recall

## Activations
activations-input = The input sample
activations-output = Probabilities
activations-active = { $active } of { $count } not zero
activations-zero-hint = ReLU lets a unit through only where its input is positive

## The last run
compare-added = new
compare-changed = changed

## Plan
plan-title = Plan of one training step
plan-what = The network, its gradients and the optimiser, compiled once; training replays these steps.
plan-params = Parameters
plan-flops = Work per step
plan-memory = Memory
plan-batch = Batch size
plan-steps = Steps per epoch
plan-copy = Copy
plan-copied = Copied
plan-refused = The browser refused
