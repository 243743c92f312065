// Microphone: a button with data-records="ID" records speech; what was said is added to that field, to be mended there.
const recorders = new WeakMap();

const say = (button, words) => (document.getElementById(button.dataset.says).textContent = words);

const type = (field, words) => {
  field.value = [field.value.trim(), words].filter(Boolean).join("\n\n");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
};

const send = async (button, recording) => {
  const body = new FormData();
  body.append("csrf_token", button.form.elements.csrf_token.value);
  body.append("recording", recording, "speech.webm");
  say(button, "Writing down what you said…");
  button.disabled = true;
  try {
    const response = await fetch("/transcripts", { method: "POST", body });
    const words = response.ok ? await response.text() : "";
    if (words) type(document.getElementById(button.dataset.records), words);
    say(button, words ? "Read it over before you send it." : "Nothing could be written down. Try again, or type.");
  } catch {
    say(button, "The server does not answer. Try again, or type.");
  }
  button.disabled = false;
};

const start = async (button) => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.onstop = () => {
    stream.getTracks().forEach((track) => track.stop());
    button.setAttribute("aria-pressed", "false");
    button.querySelector("[data-label]").textContent = "Say it instead";
    send(button, new Blob(parts, { type: recorder.mimeType }));
  };
  recorder.start();
  recorders.set(button, recorder);
  button.setAttribute("aria-pressed", "true");
  button.querySelector("[data-label]").textContent = "Stop recording";
  say(button, "Recording. Speak now.");
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-records]");
  if (!button) return;
  const recorder = recorders.get(button);
  if (recorder?.state === "recording") return recorder.stop();
  try {
    await start(button);
  } catch {
    say(button, "The browser gives no microphone. Allow it for this page, or type.");
  }
});
