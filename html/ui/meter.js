/** How loud a track is, from 0 to 1, several times a second: `onlevel(level)`. */
export class Meter {
  #context = null;
  #timer;
  #track;
  onlevel = () => {};

  start(track) {
    if (track === this.#track) return;
    this.stop();
    this.#track = track;
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      this.onlevel(Math.min(1, Math.sqrt(power) * 4));
    }, 80);
  }

  stop() {
    clearInterval(this.#timer);
    this.#context?.close();
    this.#context = this.#track = null;
  }
}
