# The data themselves, and what is tried.
data-samples = Samples
data-classes = Classes
data-vocabulary = Vocabulary
data-vocabulary-hint = Words that have a number of their own, the most frequent of the training texts
data-words = Words
data-unknown = Unknown words
data-unknown-hint = Share of words that are not in the vocabulary; the network sees them all as one
data-mean-length = Mean length
data-full = Full or cut
data-full-hint = Share of texts that fill the length of a sample, or were cut to it
data-by-class = Samples by class
data-channel = Channel
data-column = Column
data-target = Target
data-targets = Targets
data-min = Least
data-max = Greatest
data-mean = Mean
data-deviation = Deviation
data-deviation-hint = Standard deviation of these very samples (divided by their number)
data-missing = Missing
data-values = Values
data-more = { $n } more columns are not listed.
data-histogram = { $name }: how values spread, from { $lo } to { $hi }
data-lengths = Words per text
data-lengths-note = As the network gets them: longer texts are cut to { $length } words.
data-tokens = Token by token
data-padding = { $n } numbers of padding are left out.
data-frequent = Most frequent words
texts-about = Each word shaded by how little the network expected it there.
texts-given = The network gave { $given } to “{ $truth }” and expected “{ $said }” most
texts-expected = expected
texts-surprise = a surprise
try-said = What the network says
try-draw = Draw a digit
try-draw-hint = Draw here with mouse, pen or finger, or choose a picture. It is cut out, scaled and centred as the data were.
try-picture = Try a picture
try-picture-hint = Choose a picture or drop it here. Its middle is scaled to the size of the data.
try-pad = Pad to draw on
try-seen = As the network sees it
try-rebuilt = What it makes of it
try-choose = Choose a picture
try-clear = Clear
try-not-a-picture = This file cannot be read as a picture. Choose a PNG, JPEG or WebP file.
try-text = Write a text
try-text-first = It was not a good film, but the end was wonderful.
try-text-unknown = { $n ->
    [one] One word is
   *[other] { $n } words are
 } not in the vocabulary.
try-forecast = Carry the series on
try-forecast-note = The network gets a window of the series; from then on each forecast is its own next input.
try-forecast-error = Root mean square error over { $n } known values: { $error }
try-window = Window
try-truth = Truth
try-carried-on = Carried on
try-start = Where it begins
try-time = steps from the end of the window
try-value = value
series-label = What the network forecasts from each window, over what really follows
series-truth = truth
series-said = forecast, { $part }
series-error = Error, { $part }
series-error-hint = Root mean square error: how far the forecasts are from the truth, in the series' own units
series-note = Each point is one forecast: the network sees the true values before it. Right of the line is the part that it was not trained on.
series-time = place in the series
missing-title = Missing values
missing-cells = { $n ->
    [one] one cell
   *[other] { $n } cells
 }
missing-with = What is done about the missing cells of “{ $column }”
missing-drop = leave the rows out
missing-mean = fill with the mean
missing-median = fill with the median
missing-most-frequent = fill with the most frequent
missing-value = filled with { $value }
missing-dropped = { $n ->
    [one] One row was left out.
   *[other] { $n } rows were left out.
 }
missing-target = “{ $column }” is what is to be predicted: rows without it are left out ({ $n }).
missing-empty = Left out, for they hold nothing: { $columns }.
missing-note = What is filled in comes from the training part only.
