// Standard input is an object of HLS playlists by name; the answer says of each what is wrong with it, or null.
import { text } from 'node:stream/consumers';
import HLS from 'hls-parser';

// Strict: every breach of RFC 8216 that the parser knows is an error.
HLS.setOptions({ strictMode: true, silent: true });
const found = {};
for (const [name, playlist] of Object.entries(JSON.parse(await text(process.stdin)))) {
  try {
    HLS.parse(playlist);
    found[name] = null;
  } catch (error) {
    found[name] = error.message;
  }
}
console.log(JSON.stringify(found));
