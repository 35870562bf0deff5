// Code in and out, as a visitor sees it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { e2e } from './lib/harness.mjs';
import { card, layers, run, shape, shows, trained } from './lib/page.mjs';

const CNN = `import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

train_set = datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor())
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(16 * 14 * 14, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = x.view(-1, 16 * 14 * 14)
        x = F.relu(self.fc1(x))
        return self.fc2(x)

net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

for epoch in range(3):
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        optimizer.step()
`;
/** The first line of the script that holds a text, counted from 1. */
const lineOf = (script, text) => script.split('\n').findIndex((line) => line.includes(text)) + 1;

const code = (page) => page.getByLabel('The script', { exact: true });
const dialog = (page, name = 'Open code') => page.getByRole('dialog', { name });

async function openView(page) {
  await trained(page, 1);
  await page.getByRole('tab', { name: 'Code' }).click();
  await code(page).waitFor();
}

async function openDialog(page) {
  await trained(page, 1);
  await page.getByRole('button', { name: 'More', exact: true }).press('Enter');
  await page.getByRole('menuitem', { name: /^Open code/ }).press('Enter');
  await dialog(page).waitFor();
}

async function paste(page, text) {
  await dialog(page).getByRole('textbox', { name: 'Python code' }).fill(text);
  await dialog(page).getByRole('button', { name: 'Read the code' }).click();
}

/** Waits until the script has a line like this. */
const says = (page, pattern) => code(page).filter({ hasText: pattern }).waitFor();

e2e('the script follows the network, the framework and the selected layer', async ({ page, shot }) => {
  await openView(page);
  await says(page, /self\.fc1 = nn\.Linear\(64, 128\)|nn\.Linear\(/);
  assert.ok((await code(page).locator('.ink-keyword').count()) > 10, 'it is in colours');
  const [first] = await layers(page);
  await card(page, first).locator('.kind').click();
  const marked = code(page).locator('.line.on');
  await marked.first().waitFor();
  for (const line of await marked.all()) assert.equal(await line.getAttribute('data-of'), first);
  assert.ok(await marked.first().evaluate((line) => {
    const [a, b] = [line.getBoundingClientRect(), line.parentElement.getBoundingClientRect()];
    return a.top >= b.top && a.bottom <= b.bottom;
  }), 'the marked line is in sight');
  await shot('code-pytorch');

  // An edit is followed.
  const units = card(page, first).getByLabel('Units');
  await units.fill('77');
  await units.press('Enter');
  await says(page, /77/);

  // A line selects its layer.
  const last = (await layers(page)).at(-1);
  await code(page).locator(`[data-of="${last}"]`).first().click();
  await page.locator(`[data-layer="${last}"][aria-current="true"]`).waitFor();

  await page.getByLabel('Framework of the script').selectOption('keras');
  await says(page, /layers\.Dense\(77/);
  assert.doesNotMatch(await code(page).textContent(), /import torch/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '.ipynb' }).click()]);
  assert.match(download.suggestedFilename(), /\.ipynb$/);
  const book = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.match(book.cells.flatMap((c) => c.source).join(''), /layers\.Dense\(77/);
  await shot('code-keras');

  // The choice outlasts the visit.
  await page.reload();
  await openView(page);
  await says(page, /layers\.Dense\(/);
});

e2e('a pasted CNN opens in the builder and trains, and undo brings the old network back', async ({ page, shot }) => {
  await openDialog(page);
  const before = await layers(page);
  await paste(page, CNN);
  const open = dialog(page).getByRole('button', { name: 'Open in the builder' });
  await open.waitFor();
  // The missing import is named on the line that needs it.
  const slip = dialog(page).locator('.code-notes li').filter({ hasText: 'import torch.nn.functional as F' });
  assert.equal(await slip.locator('.line-no').textContent(), `Line ${lineOf(CNN, 'F.relu(self.conv1')}`);
  await slip.locator('.line-no').click();
  const chosen = await page.evaluate(() => {
    const { value, selectionStart, selectionEnd } = document.activeElement;
    return value.slice(selectionStart, selectionEnd);
  });
  assert.match(chosen, /F\.relu\(self\.conv1/);
  await shot('code-open');
  await open.click();
  await dialog(page).waitFor({ state: 'detached' });
  await page.waitForFunction(() => nabla.current()?.info.spec.layers.some((l) => l.id === 'conv1'));
  await trained(page, 3);
  const { info, loss } = await run(page);
  const kinds = info.spec.layers.map((l) => l.kind);
  assert.deepEqual(kinds.filter((k) => k !== 'activation'), ['conv2d', 'max_pool2d', 'flatten', 'linear', 'linear']);
  assert.equal(info.spec.train.optimizer.kind, 'sgd');
  assert.ok(Math.abs(info.spec.train.optimizer.momentum - 0.9) < 1e-6);
  assert.equal(info.spec.train.batch_size, 64);
  assert.equal(info.spec.train.epochs, 3);
  assert.equal(info.spec.train.loss.kind, 'cross_entropy');
  assert.ok(loss.every(Number.isFinite));
  await page.getByRole('button', { name: 'Undo' }).first().click();
  await shows(page, 'digits-mlp');
  await shape(page, before);
});

e2e('what is broken is told on its line, and nothing is lost', async ({ page, shot }) => {
  await openDialog(page);
  const before = await layers(page);
  await paste(page, 'import torch\nmodel = torch.nn.Linear(3, 1\nprint(model)\n');
  const notes = dialog(page).locator('.code-notes li');
  await notes.first().waitFor();
  assert.match(await notes.first().textContent(), /^Line [23]This is not valid Python/);
  assert.equal(await dialog(page).getByRole('button', { name: 'Open in the builder' }).count(), 0);

  // A layer that is not there: the rest still opens.
  const odd = CNN.replace('nn.MaxPool2d(2)', 'nn.FractionalMaxPool2d(2, output_size=14)');
  await paste(page, odd);
  const missing = notes.filter({ hasText: 'FractionalMaxPool2d' });
  await missing.waitFor();
  assert.equal(await missing.locator('.line-no').textContent(), `Line ${lineOf(odd, 'FractionalMaxPool2d')}`);
  await shot('code-broken');
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'detached' });
  await shape(page, before);
});

e2e('a dropped notebook opens as its code', async ({ page }) => {
  await trained(page, 1);
  const cells = [
    { cell_type: 'markdown', source: ['# A network'] },
    { cell_type: 'code', source: ['%matplotlib inline\n', '!pip install keras\n', 'import keras\n', 'from sklearn.datasets import load_iris'] },
    {
      cell_type: 'code',
      source:
        'x, y = load_iris(return_X_y=True)\nmodel = keras.Sequential([keras.Input((4,)), keras.layers.Dense(9, activation="tanh"), keras.layers.Dense(3, activation="softmax")])\nmodel.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])\nmodel.fit(x, y, epochs=7, batch_size=16)',
    },
  ];
  const transfer = await page.evaluateHandle((book) => {
    const t = new DataTransfer();
    t.items.add(new File([JSON.stringify(book)], 'Iris.ipynb'));
    return t;
  }, { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 });
  await page.dispatchEvent('main', 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
  const open = dialog(page).getByRole('button', { name: 'Open in the builder' });
  await open.waitFor();
  assert.match(await dialog(page).getByRole('textbox', { name: 'Python code' }).inputValue(), /^%matplotlib inline\n[^]*fit\(x, y/);
  await dialog(page).getByText('Everything was understood.').waitFor();
  await open.click();
  await page.waitForFunction(() => nabla.current()?.info.spec.train.epochs === 7);
  const { info } = await run(page);
  assert.equal(info.spec.data.source.name, 'iris');
  assert.equal(info.spec.framework, 'keras');
  assert.deepEqual(info.spec.layers.map((l) => [l.kind, l.units, l.activation]), [['linear', 9, 'tanh'], ['linear', 3, 'softmax']]);
});

e2e('a link leaves by the menu and opens at once', { context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async ({ page, url }) => {
  await trained(page, 1);
  const [first] = await layers(page);
  const units = card(page, first).getByLabel('Units');
  await units.fill('23');
  await units.press('Enter');
  await page.getByRole('button', { name: 'More', exact: true }).press('Enter');
  await page.getByRole('menuitem', { name: /^Copy a link/ }).press('Enter');
  await page.getByText('The link is on the clipboard.').waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(link.startsWith(`${url}#spec=`) && link.length < 2000, link);

  await page.evaluate(() => localStorage.clear());
  await page.goto('about:blank');
  await page.goto(link);
  await page.waitForFunction(() => nabla.current()?.info.spec.layers[0].units === 23);
  await trained(page, 1);
  assert.equal(await page.getByRole('dialog').count(), 0);
});

/** A link as `nabla.export` packs it, to any JSON. */
const packed = (page, spec) => page.evaluate((s) => nabla.export(s, 'link'), spec);

e2e('a heavy link asks first, a damaged one is told, and neither costs anything', async ({ page }) => {
  await trained(page, 1);
  const before = await layers(page);
  const spec = await page.evaluate(() => nabla.preset('digits-mlp'));
  spec.layers[0].units = 60000;
  const heavy = await packed(page, spec);
  await page.evaluate((hash) => (location.hash = hash), new URL(heavy).hash);
  await dialog(page, 'Open a link').getByText('This is a large network').waitFor();
  await shape(page, before);
  assert.notEqual((await run(page)).info.spec.layers[0].units, 60000);
  await page.keyboard.press('Escape');
  await dialog(page, 'Open a link').waitFor({ state: 'detached' });

  spec.layers[0].units = 1e12;
  for (const hash of [new URL(await packed(page, spec)).hash, '#spec=AAAA', '#spec=' + 'x'.repeat(5000)]) {
    await page.evaluate((h) => (location.hash = h), hash);
    await dialog(page, 'Open a link').getByText('Nothing could be opened.').waitFor();
    assert.equal(await dialog(page, 'Open a link').getByRole('button', { name: 'Open in the builder' }).count(), 0);
    await page.keyboard.press('Escape');
    await dialog(page, 'Open a link').waitFor({ state: 'detached' });
  }
  await shape(page, before);
});
