### The look inside the network and the plots.

## Metrics
metric-loss = 损失
metric-accuracy = 准确率
metric-gradnorm = 梯度范数
metric-learningrate = 学习率
metric-auc = AUC
metric-precision = 精确率
metric-recall = 召回率
metric-f1 = F1
metric-top5 = 前 5 准确率
metric-perplexity = 困惑度
metric-mse = 均方误差
metric-mae = 平均绝对误差
metric-r2 = R²
about-loss = 每个样本的平均损失，关闭 Dropout，不含权重惩罚项
about-accuracy = 类别预测正确的样本所占比例
about-auc = ROC 曲线下的面积：随机取一个正样本和一个负样本，正样本得分更高的概率。0.5 相当于瞎猜，1 为完美
about-mse = 均方误差，单位是目标值单位的平方
about-mae = 平均绝对误差，单位与目标值相同
about-r2 = 预测所解释的目标方差比例：1 为完美，0 相当于总是回答平均值
about-recall = 该类样本中被正确识别的比例
axis-step = 步
axis-epoch = 轮次

## Curves
plot-title = 损失与指标曲线
plot-empty = 每个训练步的损失会画在这里；数据若有验证集，验证损失也会一并画出。按“训练”开始。
plot-chart-label = { $metric } 随训练步的变化。方向键沿步移动；加号、减号缩放，0 显示全部。
plot-chart-label-epochs = { $metric } 随轮次的变化。方向键沿轮次移动；加号、减号缩放，0 显示全部。
plot-zoom-hint = 拖动选取一段即可放大；滚轮或双指缩放，按住 Shift 拖动平移，双击显示全部
plot-zoom = 缩放
plot-zoom-in = 放大
plot-zoom-out = 缩小
plot-zoom-reset = 显示全部
plot-zoom-reset-hint = 回到完整曲线（按 0 或双击）
plot-axis = 曲线的横轴
plot-by-step = 按步
plot-by-epoch = 按轮次
plot-train = 训练
plot-validation = 验证
plot-raw = 原始值 { $value }
plot-at-epoch = 第 { $epoch } 轮
plot-at = 第 { $step } 步 · 第 { $epoch } 轮
plot-metric = 与损失并列显示的指标
plot-smoothing = 平滑
plot-smoothing-hint = 指数移动平均中历史值的权重（已去偏）：{ $beta }。浅色线是每一步的原始值。
plot-log = 对数
plot-log-hint = 对数坐标：相同的距离表示相同的倍数
plot-keep = 保留
plot-keep-hint = 把当前曲线留在图上，与下一次运行比较
plot-kept = 运行 { $number }
plot-save = 保存
plot-csv-hint = 将本次运行的每一步（或每一轮）保存为 CSV 文件
plot-png-hint = 将曲线保存为图片
plot-svg-hint = 将曲线保存为矢量图（SVG），任意放大都清晰
plot-table = 部分训练步的损失与指标
spark-label = 损失 { $loss }
spark-empty = 还没有损失值

## The look inside
inspect-pin = 固定此视图，与下一个视图并排显示
inspect-unpin = 取消固定，切换到其他视图时关闭
inspect-pin-full = 最多同时打开 { $n } 个视图；请先关闭一个
inspect-close = 关闭“{ $view }”
inspect-title = 网络内部
inspect-waiting = 正在询问网络……
tab-series = 序列
tab-fit = 拟合
tab-boundary = 决策边界
tab-surface = 输出曲面
try-own = 用自己的输入试一试
tab-data = 数据
tab-autoencoder = 重建
tab-predictions = 预测
tab-weights = 权重
tab-activations = 激活值
tab-gradients = 梯度
tab-landscape = 损失曲面
tab-neurons = 神经元
tab-evaluation = 评估
tab-saliency = 显著性
tab-code = 代码
tab-plan = 执行计划
part-label = 样本来自
part-train = 训练集
part-validation = 验证集
part-test = 测试集
pager = 翻页
pager-back = 上一页
pager-on = 下一页
pager-range = 第 { $from }–{ $to } 个，共 { $total } 个
pager-one = 样本 { $number } / { $total }
legend-label = 颜色从 { $lo } 到 { $hi }

## Predictions
predictions-none = 这里会显示数据中的样本，以及网络对每个样本的判断。这一部分没有样本，请在“数据”中为它分配比例。
predictions-mistakes = 只看错误
predictions-no-mistakes = 这些样本中没有错误。
predictions-scanned = 取自前 { $count } 个样本，共 { $total } 个。
verdict-right = 正确
verdict-wrong = 错误
sample-label = 样本 { $number }，真实类别 { $truth }
sample-truth = 真实类别
sample-is = 应为 { $truth }
sample-loss = 损失 { $loss }
rows-truth = 真实值
rows-prediction = 预测值
rows-probability = 概率
rows-error = 误差
rows-more = 另有 { $count } 个特征
scatter-label = 预测值与真实值的散点图；虚线上两者相等。R² { $r2 }
scatter-target = 目标

## Try a value
try-title = 试一个值
open-why = { $points } 个训练点只给出 { $equations } 个方程，而未知数有 { $unknowns } 个（每个特征一个权重，再加偏置）：有许多平面恰好经过所有这些点。训练最终停在哪一个平面上，取决于初始权重。
open-determined = 在这个输入上，所有这些平面给出同一个值：{ $value }，因为它与训练点在一条直线上。训练越久，网络越接近它。
open-undetermined = 在这个输入上，这些平面各不相同：数据没有说明哪个值才对。
open-tutorial = 教程对 (5, 6) 打印出 4.6，并称真实值为 6.0。这两个数都不能由它的两个点得出：在这个学习率下训练 100 轮，对几乎任何初始权重来说，都尚未达到精确拟合。

## Weights
weights-layer = 层
weights-quantity = 显示
weights-as = 方式
weights-images = 图像，每个单元一幅
weights-matrix = 矩阵
weights-values = 权重与偏置
weights-grad = 梯度
weights-exp-avg = 一阶矩（梯度的均值）
weights-exp-avg-sq = 二阶矩（梯度平方的均值）
weights-momentum-buffer = 动量
weights-square-avg = 梯度平方的均值
weights-sum = 梯度平方之和
weights-units = 单元 { $from }–{ $to }，共 { $total } 个
weights-count = { $count } 个值
weights-none-here = 层 { $layer } 没有权重；这里显示的是 { $shown }。
heat-label = { $name } 的数值热力图
heat-value = { $row-name } { $row }，{ $column-name } { $column }：{ $value }
heat-hint = 指向一个格子即可读出数值。
heat-cut = 前 { $shown } 行，共 { $all } 行。
heat-unit = 单元
heat-input = 输入
heat-pixel = 像素
heat-row = 行
zoom-in = 放大
zoom-out = 缩小
histogram-label = { $name } 的直方图。
histogram-summary = 均值 { $mean } · 标准差 { $deviation } · 范围 { $lo } 到 { $hi }
histogram-odd = { $count } 个值不是有限数
histogram-value = 数值
histogram-count = 个数
histogram-from = 起点

## Boundary
plane-label = 网络在 { $x } 与 { $y } 平面上的输出，以及样本
plane-hint = 指向平面上的一点，即可读出网络在那里的判断。
plane-table = 网络在平面上若干位置的输出
plane-held-out = 测试样本（空心）

## Fit
fit-label = 数据点、网络的曲线与最小二乘直线
fit-network = 网络
fit-least-squares = 最小二乘
fit-made-from = 生成数据的直线
fit-caption = 在 { $count } 个训练点上，采用数据的原始单位
fit-weight = 权重（斜率）
fit-bias = 偏置（截距）
fit-error = 标准误：若反复抽取这样的数据，估计值大约会有这么大的波动
fit-curved = 网络的曲线不是直线，因此没有可比较的斜率和截距。
fit-note = 最小二乘一次解出最佳直线；梯度下降则一步步走向同一条直线。

## Evaluation
evaluation-samples = 样本数
confusion-title = 混淆矩阵
confusion-caption = { $part }上的个数及其占真实类别的比例。对角线上是正确的判断。
confusion-corner = 真实 \ 预测
confusion-recall = 召回率

## Activations
activations-input = 输入样本
activations-output = 各类概率
activations-active = { $count } 个中有 { $active } 个不为零
activations-zero-hint = ReLU 只在单元的输入为正时让它通过

## The last run
compare-added = 新增
compare-changed = 已修改

## Plan
plan-title = 一个训练步的执行计划
plan-what = 网络、梯度和优化器只编译一次，训练时反复执行这些步骤。
plan-params = 参数量
plan-flops = 每步计算量
plan-memory = 内存
plan-batch = 批大小
plan-steps = 每轮步数
plan-copy = 复制
plan-copied = 已复制
plan-refused = 浏览器拒绝了复制
