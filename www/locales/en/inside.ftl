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

## What a view shows, and what to look for
weights-look = Each cell is one weight: orange is positive, blue negative, strong colour a large one. Look for units that have found a pattern, and for rows that stayed as pale as they began.
activations-about = One sample on its way through the layers. Look for where its shape is still to be seen, which units answer to it at all, and where two classes begin to differ.
gradients-about = How strongly each parameter is being pulled, and how far the next step moves it. Look for layers that get far less than the others, and for updates far from a thousandth of the weight.
evaluation-about = How good the network is on samples it has not learnt from. Look for pairs of classes that it confuses, and whether a probability of 80 % is right in 80 % of the cases.
saliency-about = Which parts of the sample speak for a class, and which against. Look for whether they are the parts that you would point at.
plane-about = What the network answers everywhere in the plane; on the line it changes its mind. Look for bends that follow single points: that is overfitting.
surface-about = What the network answers everywhere in the plane; lines join equal answers. Look for whether it bends where the points do.

## Neurons
neurons-about = What every unit answers over the plane of the two features: orange is positive, blue negative, and on the line it gives 0. Units of the first layer draw straight lines; look for how later ones bend and join them.
neurons-units =
    { $count ->
        [one] one unit
       *[other] { $count } units
    }
neurons-cut = The first { $shown } units of { $all }.
neurons-unit = Enlarge unit { $unit }
neurons-label = What unit { $name } gives over { $x } and { $y }, with the training samples
neurons-hint = Point at the plane to read what this unit gives there.
neurons-table = What the unit gives at some places of the plane

## Loss surface
landscape-about = The loss that other parameters near the present ones would have: a slice through a space of as many dimensions as there are parameters. Look for whether the run lies in a wide valley or a narrow one, and whether it walks straight down.
landscape-note = A slice of two dimensions leaves out all others: what looks like a wall here may have a way around it. Random directions are scaled to the filters they change (Li et al. 2018); biases stay. Dropout is off, penalties are left out.
landscape-empty = Choose what to look along, then begin. The worker computes it beside the training, which it does not change.
landscape-directions = along
landscape-random = two random directions
landscape-trajectory = the way of the training
landscape-parameters = two parameters
landscape-first = across
landscape-second = upwards
landscape-seed = seed
about-landscape-seed = Another seed draws other directions
landscape-range = as far as
landscape-points = points
landscape-samples = samples
landscape-log = logarithmic
landscape-begin = Begin
landscape-again = Again, from here
landscape-cancel = Cancel
landscape-progress = Points computed
landscape-waits = The way is not known yet: { $count } of 3 places noted. Train on with this view open.
landscape-step = around step
landscape-middle = loss there
landscape-now = the run now
landscape-away = off the slice
about-landscape-away = Which share of the way that the run has gone since then leads out of this slice
landscape-explained = of the way
about-landscape-explained = Share of the way's variance along the first and the second direction
landscape-component-1 = 1st principal component of the way
landscape-component-2 = 2nd principal component
landscape-direction-1 = 1st direction
landscape-direction-2 = 2nd direction
landscape-label = The loss around the parameters, as colours and lines of equal loss, with the way of the run
landscape-origin = where the slice was begun
landscape-run = the run now, and its way
landscape-hint = Point at the surface to read the loss there.
landscape-reading = ({ $x }, { $y }): loss { $loss }
landscape-table = The loss at some points of the surface

## States and attention
within-states = Hidden state over the steps
about-within-states = What the layer remembers after each step: a unit per row, a step per column
within-states-label = Hidden state of { $name }: units by steps
within-input = Input of each step
within-step = step
within-feature = feature
within-attention = Attention
about-within-attention = Row i shows how much step i takes from each other step; a row adds up to 1
within-attention-label = Attention of head { $head } in { $name }
within-head = head { $head }
within-query = step
within-key = looks at
within-looks = step
within-looks-at = What this step looks at most, with the share it takes

## Embeddings
weights-map = map of the rows
weights-filters = filters
weights-channel = channel { $channel } of each filter
weights-picture = picture
embedding-about = Each point is a word: the plane on which the words differ most (principal components). Look for words of one meaning moving together while it trains.
embedding-about-places = Each point is a place in the sequence, joined in their order. Look for whether neighbours in the sequence become neighbours here.
embedding-padding = (padding)
embedding-search = find
embedding-not-found = No such row.
embedding-label = The rows of { $name } on the plane of their first two principal components
embedding-first = 1st principal component
embedding-second = 2nd
embedding-rows = rows
embedding-dims = numbers each
embedding-explained = on this plane
about-embedding-explained = Share of the variance along both axes; the rest is not to be seen here
embedding-nearest = Most like “{ $word }”
embedding-row = row
embedding-cosine = cosine
about-cosine = Cosine of the angle between both rows, in all dimensions: 1 is the same direction
embedding-close = show only these
embedding-hint = Click a point, or find a word, to see which are most like it.
zoom-fit = fit
zoom-hint = Also with Ctrl and the wheel, with two fingers, or with + and −

## Steps
confusion-steps = Confusion matrix of the steps
confusion-pairs = The pairs confused most, of { $classes } classes
saliency-step = step
steps-about = Steps at which the true class was given the least, with the tokens around them.
steps-around = around
steps-given = given to the truth

## Reconstruction
reconstruct-about = What the network makes of a sample, and where that differs. Look for details that are lost in the narrow layer.
reconstruct-mean = mean squared error
about-reconstruct-mean = Of this sample, with values as the network sees them
reconstruct-given = What it gives
reconstruct-errors = Squared error
about-reconstruct-errors = The square of the difference at each place
reconstruct-slopes = Slope of the error
about-reconstruct-slopes = How the mean error of the sample would change with each value, which is both input and target: orange makes it worse, blue better

## Other boundaries
beside-title = Other models in this plane
beside-about = Keep a boundary and compare it with that of the next run on these data, or let a linear model be fitted beside it.
beside-keep = Keep this boundary
beside-forget = Clear
beside-run = { $number } · { $name }
beside-nowhere = { $name } (no line in this plane)
beside-logistic = logistic regression
beside-svm = linear SVM
beside-gda = Gaussian discriminants
about-beside-logistic = Binary cross-entropy: every point counts, those far on the right side hardly
about-beside-svm = Hinge loss: only points at the margin and beyond it count
about-beside-gda = In closed form from means and covariance of the classes; no training
about-perplexity = e to the mean loss per step: among how many equally likely classes the network still wavers

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
