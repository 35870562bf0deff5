### Runs that are kept on the plot.

plot-runs = 图上的各次运行
plot-this-run = 本次运行
plot-run-toggle = 显示或隐藏“{ $run }”
plot-run-rename = 重命名“{ $run }”
plot-run-remove = 移除“{ $run }”
plot-run-name = 运行的名称
plot-more-differences = 另有 { $n } 处
plot-order = 层的顺序不同
plot-with-layer = 有 { $layer }
plot-without-layer = 无 { $layer }
plot-on = 开
plot-off = 关
