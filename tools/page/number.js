
// Numbers as people read them.
const kUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

function bytesText(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.length) {
    value /= 1024;
    ++unit;
  }
  return (unit === 0 ? value : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)) + " " + kUnits[unit];
}

function countText(count) {
  return count.toLocaleString("en-US");
}

function nounText(count, noun) {
  return countText(count) + " " + noun + (count === 1 ? "" : "s");
}

function percentText(part, whole) {
  if (whole === 0) return "0 %";
  const percent = 100 * part / whole;
  return (percent >= 10 || percent === 0 ? percent.toFixed(0) : percent.toFixed(percent < 0.1 ? 2 : 1)) + " %";
}

function signedText(value, text) {
  return value === 0 ? text(0) : value < 0 ? "\u2212" + text(-value) : "+" + text(value);
}
