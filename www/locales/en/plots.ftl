### Runs that are kept on the plot.

plot-runs = Runs on the plot
plot-this-run = this run
plot-run-toggle = Show or hide { $run }
plot-run-rename = Rename { $run }
plot-run-remove = Remove { $run }
plot-run-name = Name of the run
plot-more-differences = +{ $n }
plot-order = layers in another order
plot-with-layer = with { $layer }
plot-without-layer = without { $layer }
plot-on = on
plot-off = off
