### Files of weights, checkpoints and projects. Fetched when one is first opened.

file-weights = Load weights
file-checkpoint = Open a checkpoint
file-project = Open a project
file-close = Close
file-reading = Reading …
file-accept-hint = Undo brings back what is here now.
file-as-before = Nothing here has changed.

weights-of-pytorch = These are weights in PyTorch's names and layout.
weights-of-keras = These are weights in Keras' names and layout.
weights-of-nabla = These are weights as this page keeps them.
weights-by-order = The names are not those of this network. Layers were matched by their order and shapes: see whether each tensor is where it belongs.
weights-named = The file names its network: { $name }, { $params } parameters. It is not the one in the builder.
weights-table = What goes where
weights-param = Parameter
weights-tensor = Tensor of the file
weights-want = Expected
weights-got = Found
weights-none = none
weights-fit = fits
weights-unfit = does not fit
weights-unused = Not used: { $names }
weights-no-run = The network in the builder cannot train as it stands, so there is nothing to put weights into.
weights-here = Load into this network
weights-there = Open its network with the weights
checkpoint-about = The run stands after step { $step }.
checkpoint-go-on = Go on from there

project-about = { $name }: { $layers } layers, data: { $data }.
project-state = Its run stands after step { $step }, in epoch { $epoch }, with its weights and the course of its training.
project-no-state = It has no trained run.
project-runs =
    { $n ->
        [one] One more run is kept for comparison:
       *[other] { $n } more runs are kept for comparison:
    }
project-open = Open the project

## In a frame of another page

embed-title = Embed in a page
embed-about = Put these lines into a page of your own: it shows this network in a frame, and each reader trains it on their own machine.
embed-panes = What it shows
embed-theme = Theme
embed-theme-reader = as the reader's browser has it
embed-light = light
embed-dark = dark
embed-lang = Language
embed-lang-reader = the reader's
embed-train = Train without being asked
embed-none = Choose at least one.
embed-lines = Lines for the page
embed-copy = Copy
embed-copied = Copied.
embed-refused = The browser did not allow it. Select the lines and copy them by hand.
