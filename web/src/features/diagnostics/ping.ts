/** Two notes of a second, to hear whether the loudspeaker speaks; they play from a tap, as browsers want. */
export async function ping(): Promise<void> {
  const context = new AudioContext();
  try {
    await context.resume();
    const at = context.currentTime + 0.05;
    for (const [i, hertz] of [523, 659].entries()) {
      const tone = context.createOscillator();
      const loud = context.createGain();
      const from = at + i * 0.4;
      tone.frequency.value = hertz;
      loud.gain.setValueAtTime(0, from);
      loud.gain.linearRampToValueAtTime(0.3, from + 0.05);
      loud.gain.linearRampToValueAtTime(0, from + 0.38);
      tone.connect(loud).connect(context.destination);
      tone.start(from);
      tone.stop(from + 0.4);
    }
    await new Promise((resolve) => setTimeout(resolve, 900));
  } finally {
    await context.close();
  }
}
