### 网络的代码，以及从代码打开网络。首次打开时才加载。

script-for = 脚本所用的框架
script-copy = 复制
script-save-py = 下载为 Python 文件
script-save-ipynb = 下载为 Jupyter 笔记本
script-loading = 正在生成脚本……
script-text = 脚本
script-mark-hint = 在构建器中选中一层即可看到它的代码行；点击代码行可选中对应的层。
script-marked = 层 { $layer }：第 { $lines } 行
script-remarks = 关于此脚本
script-none-pytorch = 当前网络无法写成 PyTorch 脚本：
script-none-keras = 当前网络无法写成 Keras 脚本：

code-open = 打开代码……
code-title = 打开代码
code-about = 粘贴 PyTorch 或 Keras 脚本，或选择 .py、.ipynb 文件。代码只会被解读，不会被执行，也不会离开本机。
code-paste = Python 代码
code-read = 解读代码
code-read-hint = 解读代码（Ctrl+Enter）
code-file = 选择文件……
code-close = 关闭
code-reading = 正在解读……
code-clean = 全部内容均已识别。
code-nothing = 没有可打开的网络。原因见下方消息；你的网络保持不变。
code-notes = { $n } 条消息
code-line = 第 { $n } 行
code-show-line = 定位到这一行
code-whole = 整体
code-found = 识别结果
code-data = 数据
code-settings = 训练
code-accept = 在构建器中打开
code-accept-hint = 撤销即可恢复现在的网络。
code-file-big = “{ $name }”超过 16 MiB。请只粘贴构建和训练网络的部分。
code-file-unread = 无法读取“{ $name }”。

weights-out = 带走训练好的权重
weights-about = 把权重保存在脚本旁边，并将以下几行放入脚本的 main()。需要 safetensors 包。
weights-other = 权重按网络自身框架的命名保存：请在上方选择该框架，以便一同带走。
weights-save = 保存 { $name }
code-heavy = 这是一个大网络：训练它可能让本机长时间忙碌。确有需要再打开。

## 框架无法表达的内容
word-an-optimizer-that-computes-the-weights-at-once = 一次算出权重的优化器
word-this-source-of-data = 此数据来源
word-unit-forget-bias-of-this-layer = 此层的 unit_forget_bias
word-padding-of-a-transposed-convolution = 转置卷积的填充
word-groups-of-a-transposed-convolution = 转置卷积的分组
word-a-number-as-the-padding-of-max-pooling = 以数字指定的最大池化填充
word-a-linear-over-the-columns-of-an-image = 作用于图像各列的 Linear
word-this-kind-of-layer = 这种层
word-padding-same-with-a-stride = 带步幅的 same 填充
word-pooling-with-padding-same = 带 same 填充的池化
word-batch-norm-on-length-channels = 作用于 [长度, 通道] 的批归一化
word-a-keras-conv1d-on-length-channels = 作用于 [长度, 通道] 的 Keras Conv1D
word-a-layer-norm-over-channels-that-lie-last = 作用于末位通道的层归一化
word-a-layer-norm-over-the-axes-of-an-image-in-pytorch-s-order = 按 PyTorch 顺序作用于图像各轴的层归一化
word-an-output-of-another-shape-than-the-input-s = 与输入形状不同的输出

## 链接

link-title = 打开链接
link-about = 这个链接中有一个网络。小型网络会直接打开；这一个需要你确认，在此之前不会构建任何内容。
