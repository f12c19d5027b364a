/**
 * Where the browser lets the page have a camera, which it does on https and on the box's own screen, a button reads the code
 * from a label. Everywhere, a scanner that types may type without the field being chosen first.
 */
export const SCAN_SCRIPT = `
const DECODER = '/scan/decode.js';
const AT_MOST_MS = 60000, LOOK_EVERY_MS = 150;
const WORDS = {
  NotAllowedError: 'This browser may not use the camera. Allow it beside the address, or type the code.',
  NotFoundError: 'No camera was found on this device. Type the code.',
  NotReadableError: 'The camera is in use by another program. Close that one, or type the code.',
};
let stop = () => {};

function part(id) { return document.getElementById(id); }
function say(text) { const here = part('scan-says'); if (here) here.textContent = text; }

async function scan() {
  const video = part('scan-picture');
  let stream, timer, BarcodeDetector;
  function end(text) {
    clearTimeout(timer);
    if (stream) stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    stop = () => {};
    if (part('scanner')) part('scanner').hidden = true;
    prepare();
    say(text);
  }
  say('Waiting for the camera.');
  part('scan').hidden = true;
  part('scanner').hidden = false;
  try {
    ({ BarcodeDetector } = await import(DECODER));
    stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: 'environment', width: { ideal: 1280 } } });
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    end(WORDS[error.name] || 'The camera did not start. Type the code.');
    return;
  }
  say('Hold the label so that its whole code is in the picture.');
  stop = end;
  const detector = new BarcodeDetector({ formats: ['qr_code'] });
  const until = Date.now() + AT_MOST_MS;
  async function look() {
    // The form goes when the box is claimed from elsewhere.
    if (!part('scanner') || part('scanner').hidden) return end('');
    if (document.hidden) return end('The camera was switched off, since this page was left.');
    if (Date.now() > until) return end('No code was found within a minute. Hold the label closer and flat, or type the code.');
    const found = await detector.detect(video).catch(() => []);
    if (!video.srcObject) return;
    if (found.length === 0) { timer = setTimeout(look, LOOK_EVERY_MS); return; }
    end('');
    part('code').value = found[0].rawValue;
    part('code').form.requestSubmit();
  }
  look();
}

function prepare() {
  const button = part('scan');
  if (button && part('scanner').hidden && window.isSecureContext && navigator.mediaDevices) button.hidden = false;
}
prepare();
new MutationObserver(prepare).observe(document.querySelector('main'), { childList: true, subtree: true });
document.addEventListener('click', (event) => {
  if (event.target.id === 'scan') scan();
  if (event.target.id === 'scan-stop') stop('');
});
document.addEventListener('keydown', (event) => {
  const field = part('code');
  const isText = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (field && isText && event.key !== ' ' && document.activeElement === document.body) field.focus();
});
`.trim();
