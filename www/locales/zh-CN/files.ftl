### 权重、检查点与项目文件。首次打开时才会加载。

file-weights = 载入权重
file-checkpoint = 打开检查点
file-project = 打开项目
file-close = 关闭
file-reading = 正在读取…
file-accept-hint = 撤销可恢复现在的内容。
file-as-before = 页面上的内容没有改变。

weights-of-pytorch = 这些权重使用 PyTorch 的名称和布局。
weights-of-keras = 这些权重使用 Keras 的名称和布局。
weights-of-nabla = 这些权重使用本页面自己的格式。
weights-by-order = 名称与此网络不同，各层已按顺序和形状对应。请确认每个张量都在正确的位置。
weights-named = 文件注明了它的网络：{ $name }，{ $params } 个参数。它与构建器中的网络不同。
weights-table = 对应关系
weights-param = 参数
weights-tensor = 文件中的张量
weights-want = 应有形状
weights-got = 实际形状
weights-none = 无
weights-fit = 相符
weights-unfit = 不相符
weights-unused = 未使用：{ $names }
weights-no-run = 构建器中的网络目前无法训练，因此没有可载入权重的网络。
weights-here = 载入此网络
weights-there = 打开文件中的网络及权重
checkpoint-about = 训练停在第 { $step } 步之后。
checkpoint-go-on = 从那里继续

project-about = { $name }：{ $layers } 层，数据：{ $data }。
project-state = 训练停在第 { $step } 步之后（第 { $epoch } 轮），包含权重与训练曲线。
project-no-state = 其中没有训练过的网络。
project-runs = 另有 { $n } 次训练保留作对比：
project-open = 打开项目

## 嵌入其他网页

embed-title = 嵌入网页
embed-about = 把下面这段代码放进你自己的网页：它会在框架中显示这个网络，每位读者都在自己的机器上训练。
embed-panes = 显示的内容
embed-theme = 主题
embed-theme-reader = 跟随读者的浏览器
embed-light = 浅色
embed-dark = 深色
embed-lang = 语言
embed-lang-reader = 跟随读者
embed-train = 自动开始训练
embed-none = 请至少选择一项。
embed-lines = 网页代码
embed-copy = 复制
embed-copied = 已复制。
embed-refused = 浏览器不允许复制。请选中代码后手动复制。
