/** Gives orders to a healer on this machine, one after the other, and prints how each ended: for a namespace of its own. */
import { type Mender, makeMender } from '../../helpers/mender.ts';

const { orders, ...options } = JSON.parse(process.argv[2]!);
const mender: Mender = makeMender(options);
const answers: unknown[] = [];
for (const [action, params, orderId] of orders) answers.push(await mender.give(action, params, orderId));
await mender.stop();
process.stdout.write(`\n${JSON.stringify(answers)}`);
