### The network as a script, and scripts as networks. Fetched when one of them is first opened.

script-for = Framework of the script
script-copy = Copy
script-save-py = Download as a Python file
script-save-ipynb = Download as a Jupyter notebook
script-loading = Writing the script …
script-text = The script
script-mark-hint = Select a layer in the builder to see its lines, or a line to see its layer.
script-marked = Layer { $layer }: lines { $lines }
script-remarks = About this script
script-none-pytorch = There is no PyTorch script of this network as it stands:
script-none-keras = There is no Keras script of this network as it stands:

code-open = Open code…
code-title = Open code
code-about = Paste a PyTorch or Keras script, or choose a .py or .ipynb file. It is read, never run, and stays on this machine.
code-paste = Python code
code-read = Read the code
code-read-hint = Read the code (Ctrl+Enter)
code-file = Choose a file…
code-close = Close
code-reading = Reading …
code-clean = Everything was understood.
code-nothing = Nothing could be opened. The messages say why; your network is as it was.
code-notes =
    { $n ->
        [one] { $n } message
       *[other] { $n } messages
    }
code-line = Line { $n }
code-show-line = Show this line
code-whole = In general
code-found = What was recognised
code-data = Data
code-settings = Training
code-accept = Open in the builder
code-accept-hint = Undo brings the network of now back.
code-file-big = “{ $name }” is larger than 16 MiB. Paste only the part that builds and trains the network.
code-file-unread = “{ $name }” could not be read.

weights-out = Take the trained weights along
weights-about = Save the weights beside the script, and put these lines into its main(). They need the package safetensors.
weights-other = Weights are saved under the names of the network's own framework: choose it above to take them along.
weights-save = Save { $name }
code-heavy = This is a large network: training it may keep this machine busy. Open it only if you want that.

## What a framework cannot express
word-an-optimizer-that-computes-the-weights-at-once = an optimizer that computes the weights at once
word-this-source-of-data = this source of data
word-unit-forget-bias-of-this-layer = unit_forget_bias of this layer
word-padding-of-a-transposed-convolution = padding of a transposed convolution
word-groups-of-a-transposed-convolution = groups of a transposed convolution
word-a-number-as-the-padding-of-max-pooling = a number as the padding of max pooling
word-a-linear-over-the-columns-of-an-image = a Linear over the columns of an image
word-this-kind-of-layer = this kind of layer
word-padding-same-with-a-stride = padding “same” with a stride
word-pooling-with-padding-same = pooling with padding “same”
word-batch-norm-on-length-channels = batch norm on [length, channels]
word-a-keras-conv1d-on-length-channels = a Keras Conv1D on [length, channels]
word-a-layer-norm-over-channels-that-lie-last = a layer norm over channels that lie last
word-a-layer-norm-over-the-axes-of-an-image-in-pytorch-s-order = a layer norm over the axes of an image in PyTorch's order
word-an-output-of-another-shape-than-the-input-s = an output of another shape than the input's

## A link

link-title = Open a link
link-about = This link holds a network. Small ones open by themselves; this one waits for your word, and nothing of it has been built yet.
