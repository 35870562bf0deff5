### The guided tour.

tour-of = { $n } of { $all }
tour-next = Next
tour-back = Back
tour-done = Done
tour-end = End the tour
tour-train-title = It is already training
tour-train = A small network is learning to read handwritten digits, here in your browser; nothing leaves your machine. Pause it, take a single step, or start over from new weights.
tour-loss-title = Is it learning?
tour-loss = The loss says how wrong the network is: lower is better. Solid is the data it trains on, dashed is data it has never trained on. Point at the curves to read them; drag over a part to zoom in.
tour-score-title = How good is it?
tour-score = The share of digits that it reads correctly, among samples that were kept apart for this test.
tour-network-title = The network, layer by layer
tour-network = Each card is a layer, in the order in which the data pass. Change a number, drag cards, add a layer: shapes and errors show at once, and the new network trains right away.
tour-settings-title = How it is trained
tour-settings = Optimiser, learning rate, batch size. Slide the learning rate while it trains and watch what the loss does.
tour-inside-title = Look inside
tour-inside = What it predicts, what its weights have become, what each layer sees, where it is mistaken, and the same network as a PyTorch or Keras script.
tour-yours-title = Your tutorial
tour-yours = The networks of the tutorials are here, with their data. Your own data, code and files open from the menu at the right.
