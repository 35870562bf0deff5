### The guided tour.

tour-of = { $n } / { $all }
tour-next = 下一步
tour-back = 上一步
tour-done = 完成
tour-end = 结束导览
tour-train-title = 训练已经开始
tour-train = 一个小网络正在你的浏览器里学习识别手写数字，数据不会离开本机。可以暂停、单步执行，或从新的权重重新开始。
tour-loss-title = 它在学习吗？
tour-loss = 损失表示网络错得有多离谱，越低越好。实线是训练用的数据，虚线是没有参与训练的数据。指向曲线可读数，拖动选取一段可放大。
tour-score-title = 它有多准？
tour-score = 在专门留作测试的样本中，被正确识别的数字所占的比例。
tour-network-title = 网络，逐层来看
tour-network = 每张卡片是一层，按数据经过的顺序排列。改数字、拖动卡片、添加层：形状与错误立即显示，新网络随即开始训练。
tour-settings-title = 怎样训练
tour-settings = 优化器、学习率、批大小。训练时拖动学习率，看看损失怎样变化。
tour-inside-title = 看看里面
tour-inside = 它的预测、权重变成了什么样、每一层看到了什么、错在哪里，以及同一个网络的 PyTorch 或 Keras 代码。
tour-yours-title = 你的教程
tour-yours = 教程里的网络连同数据都在这里。你自己的数据、代码和文件可从右侧菜单打开。
