### The look inside the network and the plots.
