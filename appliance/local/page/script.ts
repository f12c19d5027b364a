/**
 * Fetches the page every 5 s and exchanges what is live in it. What a reader opened stays open and what is typed stays
 * typed. When nothing has come for 10 s the page says so, with the age of what it shows.
 */
export const SCRIPT = `
(function () {
  var EVERY = 5000, OLD = 10000, last = Date.now();
  var banner = document.getElementById('stale'), age = document.getElementById('stale-age'), live = document.getElementById('live-word');
  function show() {
    var old = Date.now() - last;
    banner.hidden = old < OLD;
    live.hidden = old >= OLD;
    if (old >= OLD) age.textContent = Math.round(old / 1000) + ' s';
  }
  function swap(text) {
    var page = new DOMParser().parseFromString(text, 'text/html');
    var parts = page.querySelectorAll('[data-live]');
    if (!parts.length) return;
    var focused = document.activeElement, focusedId = focused.id || (focused.parentElement || {}).id;
    parts.forEach(function (fresh) {
      var here = document.getElementById(fresh.id);
      if (!here) return;
      here.querySelectorAll('details[open]').forEach(function (one) {
        var same = fresh.querySelector('#' + one.id);
        if (same) same.open = true;
      });
      var hadFocus = focusedId && here.contains(focused);
      here.replaceChildren.apply(here, Array.prototype.slice.call(fresh.childNodes));
      var again = hadFocus && document.getElementById(focusedId);
      if (again) (again.querySelector('summary') || again).focus();
    });
    var form = document.getElementById('typed'), freshForm = page.getElementById('typed');
    if (form && !freshForm) form.remove();
    if (!form && freshForm) document.getElementById('live-claim').after(freshForm);
    if (form && freshForm) form.querySelector('[name=form]').value = freshForm.querySelector('[name=form]').value;
    document.title = page.title;
    last = Date.now();
  }
  function look() {
    if (document.hidden) return;
    fetch('/', { cache: 'no-store', headers: { accept: 'text/html' } })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
      .then(swap)
      .catch(function () {})
      .then(show);
  }
  setInterval(look, EVERY);
  setInterval(show, 1000);
  document.addEventListener('visibilitychange', look);
})();
`.trim();
