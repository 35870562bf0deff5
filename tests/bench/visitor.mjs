/** A page as wide as a laptop's, of a visitor who has seen the tour. */
export async function visitor(browser) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, serviceWorkers: 'block' });
  await context.addInitScript(() => {
    try {
      localStorage.setItem('nabla.tour', '"seen"');
    } catch {}
  });
  return context.newPage();
}
