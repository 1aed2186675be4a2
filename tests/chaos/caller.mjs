// A call to the echo test in a process of its own, which can be stopped; says when it is there. Argument: the gateway's URL.
import {echoCall, tones} from '../lib/chaos.mjs';

const call = await echoCall({ws: process.argv[2]}, tones.caller);
await call.echoes('hello of a caller');
console.log('there');
setInterval(() => call.echoes('still there').catch(() => {}), 100);
