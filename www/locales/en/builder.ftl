### The builder beyond the first look: help, repairs, groups, keys, what is said of an edit.
figure-params = Parameters
figure-flops = Per sample
figure-memory = Memory per sample
figure-batch = Memory per batch
code-none = this framework has no such layer
group-open = Show or hide the layers of this group
group-name = Group name
group-wrong = { $n ->
    [one] 1 problem inside
   *[other] { $n } problems inside
 }
group-up = Move the group up
group-down = Move the group down
group-copy = Duplicate the group
group-dissolve = Ungroup: the layers stay
group-remove = Remove the group and its layers
chosen-tools = Chosen layers
chosen-count = { $n ->
    [one] 1 layer chosen
   *[other] { $n } layers chosen
 }
chosen-group = Group
chosen-group-hint = Show them as one card
chosen-residual = Residual
chosen-residual-hint = Group them, and add what goes in to what comes out
chosen-copy = Duplicate the chosen layers
chosen-remove = Remove the chosen layers
chosen-none = Choose nothing
said-added = { $name } added at place { $n }
said-moved = { $id } is now at place { $n } of { $total }
said-into = { $id } is now in the group { $group }, at place { $n }
said-out = { $id } is out of its group, at place { $n }
said-removed = { $n ->
    [one] { $id } removed
   *[other] { $n } layers removed: { $id }
 }
said-copied = { $n ->
    [one] Copied as { $id }
   *[other] { $n } layers copied as { $id }
 }
said-grouped = { $n ->
    [one] 1 layer is now the group { $id }
   *[other] { $n } layers are now the group { $id }
 }
said-residual = { $n ->
    [one] 1 layer is now the residual block { $id }
   *[other] { $n } layers are now the residual block { $id }
 }
said-no-group = These layers cut through another group, or groups would lie too deep within one another. Choose all of a group or none of it.
said-ungrouped = The group { $id } is dissolved; its layers stay
said-chosen = { $n ->
    [one] 1 layer chosen
   *[other] { $n } layers chosen
 }
said-cleared = All layers removed. Undo brings them back.
keys-about = On a card's title:
key-walk = another card
key-open = open and close
key-add = add a layer behind
key-move = move the card, into open groups and out of them
key-copy = duplicate
key-remove = remove
key-choose = choose several; with the mouse, Shift and a click
key-group = make a group of them, or dissolve it
key-undo = undo
key-redo = redo
key-escape = from a field to its card; choose nothing; close a menu
repair-set = Set { $name } to { $value }
repair-insert-flatten = Insert Flatten
repair-insert-flatten-before = Insert Flatten before { $layer }
repair-insert-embedding = Insert an Embedding
repair-insert-reshape = Insert Reshape to { $shape }
repair-read-input = Let { $layer } read the input
repair-read-before = Read the layer before
repair-read-two = Read { $inputs }
repair-add-output = Add an output layer of { $n }
repair-add-flat-output = Add Flatten and an output layer of { $n }
repair-rename = Call it { $id }
repair-shallow-group = Leave out the innermost groups
repair-rename-group = Make it a group of its own, { $id }
repair-keep-shape = Keep the shape of the samples
repair-remove = Remove { $layer }
repair-all-states = Let { $layer } give every step
repair-last-state = Let { $layer } give its last step only
repair-set-units = Set the units of { $layer } to { $n }
repair-project = Insert a layer that brings { $from } to the shape of { $to }
repair-flatten-inputs = Flatten what it joins
repair-set-activation = Set the activation to { $activation }
repair-add-activation = Add { $activation } behind it
repair-no-activation = Take { $activation } out
repair-use-logits = Let the loss read logits
repair-use-probabilities = Let the loss read probabilities
repair-fit-loss = Choose a loss that fits
help-linear = Every output is a weighted sum of all inputs plus a bias. A shape of several axes keeps all but the last. Two of them in a row need an activation in between.
help-activation = Applies a function to every number by itself. ReLU is the usual choice between layers; softmax makes a row of scores add up to 1.
help-dropout = While training, sets a share of the values to 0 at random and scales the rest up. In evaluation it does nothing.
help-flatten = Lays a sample of any shape out as one row of numbers, as a Linear layer behind convolutions needs it.
help-reshape = Gives the numbers of a sample another shape; their count stays. One -1 is worked out.
help-add = Adds the outputs of several layers of equal shape, number by number: the end of a skip connection.
help-concatenate = Puts the outputs of several layers side by side along one axis; all other axes must agree.
help-conv1d = Slides small filters along a sequence. Each gives one channel that says where its pattern occurs.
help-conv2d = Slides small filters over an image. Each gives one channel; with padding the size stays, with a stride of 2 it halves.
help-conv-transpose2d = Spreads every pixel out through a filter: with a stride of 2 it doubles the size, as decoders need.
help-max-pool1d = Keeps the largest of each few steps: shorter sequences that shift less.
help-max-pool2d = Keeps the largest of each window: a 2×2 window halves height and width and leaves the channels.
help-avg-pool1d = Takes the mean of each few steps.
help-avg-pool2d = Takes the mean of each window, of each channel by itself.
help-global-avg-pool = One number per channel, its mean: of any size of image a row as long as there are channels.
help-global-max-pool = One number per channel, its largest: whether the pattern occurs anywhere.
help-upsample = Repeats every pixel, without anything to learn.
help-batch-norm = Brings each channel to mean 0 and variance 1 over the batch, then scales and shifts it. In evaluation it takes running statistics.
help-layer-norm = Brings each sample, or each step of a sequence, to mean 0 and variance 1, whatever else is in the batch.
help-rms-norm = Divides each sample by its root mean square: layer norm without the mean.
help-embedding = Looks up a learned row of numbers for every whole number of the data, such as the number of a word.
help-positional-embedding = Adds a learned row of numbers to every step, so that attention can tell the order.
help-rnn = Reads a sequence step by step and carries a state along. Long sequences fade; an LSTM or GRU holds longer.
help-lstm = Reads a sequence with a memory and three gates that decide what to keep, to take in and to tell.
help-gru = Reads a sequence with two gates and one state: about as good as an LSTM, with fewer weights.
help-multi-head-attention = Every step asks all others what they know and mixes their answers; each head asks for something else.
help-sampling = Draws a code around a mean with a learned spread, as a variational autoencoder does; reads mean and log-variance.

wires = Connections past other cards
wire = { $from } → { $to }, past { $n ->
    [one] 1 card
   *[other] { $n } cards
  }
