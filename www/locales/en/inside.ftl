### The closer look inside: gradients, evaluation, saliency, the last run. Loads with the views.
confusion-open = Show the samples of class { $truth } that were taken for { $said }
confusion-cell = True class { $truth }, predicted { $said }
curves-title = Telling one class from the rest
curves-class = positive class
curves-none = These curves need samples of this class and of others in this part of the data, and scores that are numbers.
curves-threshold = threshold
curves-precision = precision
curves-recall = recall
curves-tpr = true-positive rate
curves-fpr = false-positive rate
curves-f1 = F1
curves-said = predicted probability
curves-was = share that is positive
curves-counts = At this threshold: { $tp } true and { $fp } false positives, { $fn } false and { $tn } true negatives
curves-roc = ROC of { $name } · AUC { $value }
curves-pr = Precision and recall of { $name } · AP { $value }
curves-calibration = Calibration of { $name } · ECE { $value }
curves-table = Rates at some of the thresholds
curves-calibration-table = Samples by predicted probability
worst-mistakes = Worst mistakes
worst-samples = Largest losses
about-worst = Sorted by loss, the largest first
mistakes-cut = The first { $shown } of { $total }.

## Gradients
gradients-none = The gradient of every parameter will stand here once the network has parameters to learn.
gradients-fine = Nothing conspicuous: gradients reach every layer, and updates are neither huge nor tiny.
gradients-caption = What step { $step }, the next one, does to each parameter
gradients-parameter = Parameter
gradients-gradient = gradient
gradients-update = update
gradients-ratio = update ÷ weight
gradients-guide = The mark in each bar stands at 10⁻³: training usually goes well when an update is about a thousandth of the weight it changes.
about-gradient-norm = Norm of the gradient: the root of the sum of its squares, after clipping
about-update-norm = Norm of what the optimizer adds to the parameter in this step
about-ratio = Norm of the update over the norm of the parameter
gradients-not-finite = The gradient of { $name } is no longer a finite number: the training has diverged. Reset, and try a smaller learning rate.
gradients-still = Every gradient is zero: the network cannot learn from this batch.
gradients-vanish = Gradients of { $first } are about { $times }× smaller than those of { $last }: they vanish on the way back through the layers.
gradients-explode = Gradients of { $first } are about { $times }× larger than those of { $last }: they grow on the way back through the layers.
gradients-dead = In { $layer }, { $dead } of { $units } units are 0 on every sample: they get no gradient and learn nothing.
gradients-fast = Every weight changes by { $ratio } of itself or more in a single step: the learning rate is probably too high.
gradients-slow = No weight changes by more than { $ratio } of itself in a step: it will hardly get anywhere at this pace.
spread-gradients = How the gradient spreads
spread-weights = How the values spread
spread-log-gradient = log₁₀ |gradient|
spread-label-gradients = Histogram of the gradient of { $name }, on a logarithmic scale.
spread-label-weights = Histogram of the values of { $name }.
spread-over-time = { $what } Over the steps since this view was opened.
spread-zeros = { $count } zeros are left out.
spread-empty = Nothing to show: no value is finite and different from zero.
spread-later = How this changes over time is drawn here while it trains.
spread-few = few
spread-many = many values
spread-lowest = lowest
spread-highest = highest
units-caption = Units on the first { $count } training samples
units-function = activation
units-count = units
units-dead = dead
units-saturated = saturated
about-dead = ReLU units that give 0 on all of these samples
about-saturated = Share of outputs so close to the ends of tanh (beyond ±0.97) or sigmoid (outside 0.03 to 0.97) that hardly any gradient passes

## Saliency
saliency-predicted = the predicted class
saliency-for = for
saliency-score = score for { $name }
saliency-blank = score of a blank
saliency-sum = sum of integrated gradients
about-score = The output before softmax or sigmoid
about-blank = The same output for a sample whose features are all zero
about-sum = Integrated gradients share out what the score gains over that of the blank sample, so their sum comes close to the difference of the two
saliency-times = Gradient × input
saliency-along = Integrated gradients
about-saliency-times = The slope of the score at this sample, times how far each feature is from zero
about-saliency-along = The mean of the slope along the way from a blank sample to this one, times how far each feature is from zero
saliency-note = Orange speaks for it, blue against it. Both measure the network as it is now, not the truth.
saliency-label = { $way } for { $name }, over the sample
saliency-words = Words coloured by gradient × embedding: orange speaks for { $name }, blue against it.
saliency-feature = feature
saliency-column = column
compare-title =
    { $n ->
        [one] One change since the last run
       *[other] { $n } changes since the last run
    }
compare-removed = removed
compare-moved = moved
compare-settings = Settings
compare-params = { $n } parameters
compare-back = Back to the last run’s network and settings

## Autoencoders
pairs-title = Input beside reconstruction
pairs-note = Left what went in, right what the network gave back after squeezing it through its code. Details that the code has no room for are lost.
pair-input = Picture { $number }
pair-output = Picture { $number } as the network gives it back
pair-error = MSE { $error }
map-title = Where codes lie
map-note = Each point is a picture, placed by what { $width ->
    [one] the one number
   *[other] the { $width } numbers
  } of its code in { $layer } say. Pictures that the network takes for alike lie together.
map-note-wide = Each point is a picture. Its code in { $layer } has { $width } numbers; the plane shows the two directions in which codes differ most (principal components), { $share } of their variance.
map-show = Show
map-points = pictures as points
map-pictures = what the decoder makes of the plane
map-label = Codes of pictures on a plane; a ring marks the point whose decoded picture stands beside.
map-decoded = What the decoder makes of the marked point
map-hint = Point at the plane, or move the sliders: the decoder draws what belongs there.
map-direction = direction { $number }
map-number = code { $number }
map-none = The codes are not finite numbers; the training has diverged.
map-centres = Mean place of each class
map-class = class
map-count = pictures
drawn-title = Drawn by the decoder
drawn-again = Draw again
drawn-note-normal = Codes drawn from N(0, 1), which the KL term asks the codes to follow, then decoded: pictures that nobody drew.
drawn-note-fitted = Codes drawn from a normal distribution with the mean and covariance of the training codes, then decoded. A plain autoencoder never learns what lies between its codes, so some are no digits at all; a variational one does better.
drawn-label = Drawn picture { $number }
