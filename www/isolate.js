// Isolation for hosts that cannot send its headers: a service worker adds them, so that the next
// visit (or reload) has threads. nabla.js loads this file where threads are to be had and the
// page is not isolated. It never reloads the page, for that would lose the run that is under way.
//
// Opt out with `localStorage['nabla-isolation'] = 'off'`; that takes the service worker away too.

const off = () => {
  try {
    return localStorage.getItem('nabla-isolation') === 'off';
  } catch {
    return true; // no storage: a visitor who keeps nothing
  }
};

if (isSecureContext && 'serviceWorker' in navigator && window.top === window) {
  const script = new URL('./isolation-worker.js', import.meta.url);
  if (off()) {
    const known = await navigator.serviceWorker.getRegistration(script);
    if (known?.active?.scriptURL === script.href) await known.unregister();
  } else {
    await navigator.serviceWorker.register(script);
  }
}
