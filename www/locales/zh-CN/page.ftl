### The page around the network.

problem-on-layer = 层 { $layer }：{ $text }
