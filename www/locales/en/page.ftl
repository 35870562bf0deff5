### The page around the network.

problem-on-layer = Layer { $layer }: { $text }
