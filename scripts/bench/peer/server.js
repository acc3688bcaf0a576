// The peer of `./ezw bench --peers`: the same four endpoints as a well-tuned
// Node service. Fastify with compiled schemas for bodies and answers, two
// cluster workers, postgres.js (prepared, pipelined) with one connection for
// reads and eight for writes a worker, which is where it is fastest. The
// statements are the module's own files; the answers are equal to the
// module's, and setup.sh refuses to measure if they are not.

import cluster from 'node:cluster';
import * as crypto from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import Fastify from 'fastify';
import postgres from 'postgres';

const { PEER_PORT, PEER_SOCKET, PEER_PASSWORD_FILE, PEER_KEY_FILE,
        PEER_STATEMENTS } = process.env;

// Statements -----------------------------------------------------------------

// A statement with $1, $2, ... for its names: {text, names}.
function statement(name) {
    const head = `-- name: ${name}\n`;

    for (const file of readdirSync(PEER_STATEMENTS)) {
        const all = readFileSync(`${PEER_STATEMENTS}/${file}`, 'utf8');
        const at = all.indexOf(head);
        if (at === -1) {
            continue;
        }
        const names = [];
        const text = all.slice(at + head.length)
            .split('\n-- name: ')[0]
            .replace(/^\s*--.*$/mg, '')
            .replace(/"[^"]*"|'(?:[^']|'')*'|::|:([A-Za-z][\w.]*)/g,
                     (whole, parameter) => {
                if (parameter === undefined) {
                    return whole;
                }
                if (!names.includes(parameter)) {
                    names.push(parameter);
                }
                return `$${names.indexOf(parameter) + 1}`;
            })
            .trim().replace(/;$/, '');
        return { text, names };
    }
    throw new Error(`no statement ${name}`);
}

const prepared = { prepare: true };

function run(sql, { text, names }, values) {
    return sql.unsafe(text, names.map((name) => values[name] ?? null), prepared);
}


// Values ---------------------------------------------------------------------

const sha256 = crypto.hash
    ? (text) => crypto.hash('sha256', text)
    : (text) => crypto.createHash('sha256').update(text).digest('hex');

// UUIDv7 and four random bytes, as hex.
function messageId() {
    const time = Date.now().toString(16).padStart(12, '0');
    const random = crypto.randomUUID().replaceAll('-', '');
    const more = crypto.randomUUID().slice(0, 8);
    return `${time}7${random.slice(13)}${more}`;
}

const uuid = crypto.randomUUID;

const traceId = () => crypto.randomUUID().replaceAll('-', '');

// '2020-03-11 19:53:02.5+00' as '2020-03-11T19:53:02.500000Z'
function timestamp(text) {
    const fraction = text.slice(20, text.indexOf('+', 19));
    return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction.padEnd(6, '0')}Z`;
}

const types = {
    int8: { to: 20, from: [20], serialize: String, parse: Number },
    timestamptz: { to: 1184, from: [1184], serialize: String, parse: timestamp },
};

function contact(row) {
    return {
        jid: row.jid,
        metadata: Object.keys(row['metadata:map']).length ? row['metadata:map'] : [],
        name: {
            firstName: row['name.firstName'],
            fullName: row['name.fullName'],
            lastName: row['name.lastName'],
        },
        notes: row.notes,
        phoneNumber: row.phoneNumber,
        reference: row.reference,
        remarks: row.remarks,
        type: row.type,
    };
}

function conversation(row) {
    return {
        assignee: row.assignee,
        channel: { jid: row['channel.jid'] },
        contact: { jid: row['contact.jid'] },
        createdAt: row.createdAt,
        id: conversationId(row['id:conversation']),
        labels: row.labels,
        lastMessageReceivedAt: row.lastMessageReceivedAt,
        lastMessageSentAt: row.lastMessageSentAt,
        messagesReceived: row.messagesReceived,
        messagesSent: row.messagesSent,
        status: row.status,
        team: row['team?.jid'] === null ? null : { jid: row['team?.jid'] },
        unreadCount: row.unreadCount,
    };
}

// 'channelJid contactJid' as base64(SHA1(channelJid, 0x00, contactJid))
function conversationId(text) {
    return crypto.createHash('sha1').update(text.replace(' ', '\0')).digest('base64');
}

function principal(row) {
    return {
        cipherKey: row.cipher_fingerprint,
        description: row.description,
        id: row.id,
        lastUsed: row.last_used,
        objects: row.objects,
        scope: row.scope,
        whitelist: row.whitelist,
    };
}


// Schemas --------------------------------------------------------------------

const text = { type: ['string', 'null'] };
const number = { type: ['integer', 'null'] };
const one = (key) => ({ type: 'object', properties: { [key]: { type: 'string' } } });

const jids = {
    type: 'object',
    properties: {
        channelJid: { type: 'string', pattern: '^[1-9][0-9]{6,14}@whatsapp\\.eazy\\.im$' },
        contactJid: { type: 'string', pattern: '^[1-9][0-9]{6,14}@whatsapp\\.eazy\\.im$' },
    },
};

const keyAnswer = {
    type: 'object',
    properties: {
        cipherKey: text,
        description: text,
        id: { type: 'string' },
        lastUsed: text,
        objects: { type: 'array', items: {} },
        scope: { type: 'string' },
        whitelist: { type: ['array', 'null'], items: { type: 'string' } },
    },
};

const contactAnswer = {
    type: 'object',
    properties: {
        jid: { type: 'string' },
        metadata: {},
        name: {
            type: 'object',
            properties: { firstName: text, fullName: text, lastName: text },
        },
        notes: { type: 'array', items: {} },
        phoneNumber: number,
        reference: text,
        remarks: text,
        type: { type: 'string' },
    },
};

const conversationAnswer = {
    type: 'object',
    properties: {
        assignee: text,
        channel: one('jid'),
        contact: one('jid'),
        createdAt: { type: 'string' },
        id: { type: 'string' },
        labels: { type: 'array', items: { type: 'string' } },
        lastMessageReceivedAt: text,
        lastMessageSentAt: text,
        messagesReceived: { type: 'integer' },
        messagesSent: { type: 'integer' },
        status: { type: 'string' },
        team: { type: ['object', 'null'], properties: { jid: { type: 'string' } } },
        unreadCount: number,
    },
};

const messageBody = {
    type: 'object',
    required: ['message'],
    properties: {
        message: {
            type: 'object',
            required: ['type', 'body'],
            properties: {
                type: { const: 'text' },
                body: { type: 'string', minLength: 1, maxLength: 4096 },
            },
        },
    },
};

const conversationBody = {
    type: 'object',
    properties: {
        status: { enum: ['OPEN', 'CLOSED'] },
        unreadCount: { enum: [0, null] },
    },
};


// Service --------------------------------------------------------------------

async function serve() {
    const connection = {
        host: PEER_SOCKET, path: PEER_SOCKET, database: 'ezw_bench',
        username: 'ezw_app',
        password: readFileSync(PEER_PASSWORD_FILE, 'utf8').trim(),
        ssl: false, types,
    };
    const reads = postgres({ ...connection, max: 1 });
    const writes = postgres({ ...connection, max: 8 });

    const statements = {
        contactGet: statement('contact_get'),
        messageSend: statement('message_send'),
        conversationUpdate: statement('conversation_update'),
        keyPrincipal: statement('key_principal'),
    };

    // the map of keys, filled once: what the module's key zone holds
    const hash = sha256(readFileSync(PEER_KEY_FILE, 'utf8').trim());
    const [key] = await run(reads, statements.keyPrincipal, { hash });
    const keys = new Map([[hash, {
        company: key.company, actor: `${key.id}@key.eazy.im`, enabled: key.enabled,
        current: principal(key),
    }]]);

    const app = Fastify({ logger: false, exposeHeadRoutes: false });

    app.decorateRequest('key', null);
    app.decorateRequest('trace', '');
    app.addHook('onRequest', (request, reply, next) => {
        request.trace = traceId();
        reply.header('X-Trace-Id', request.trace);
        const header = request.headers.authorization;
        const found = header !== undefined && header.startsWith('Bearer ')
            ? keys.get(sha256(header.slice(7))) : undefined;
        if (found === undefined || !found.enabled) {
            reply.code(401).send({ error: { code: 1001, message: 'Key is invalid' },
                                   traceId: request.trace });
            return;
        }
        request.key = found;
        next();
    });

    function refuse(request, reply, refusal) {
        const status = refusal === 'not_found' ? 404 : 422;
        return reply.code(status).send({ error: { code: status, message: refusal },
                                         traceId: request.trace });
    }

    app.get('/v3/keys/current', {
        schema: { response: { 200: keyAnswer } },
    }, (request, reply) => { reply.send(request.key.current); });

    app.get('/v3/channels/:channelJid/contacts/:contactJid', {
        schema: { params: jids, response: { 200: contactAnswer } },
    }, async (request, reply) => {
        const rows = await run(reads, statements.contactGet, {
            'company': request.key.company,
            'path.channelJid': request.params.channelJid,
            'path.contactJid': request.params.contactJid,
        });
        return rows.length ? contact(rows[0]) : refuse(request, reply, 'not_found');
    });

    app.post('/v3/channels/:channelJid/messages/:contactJid', {
        schema: { params: jids, body: messageBody, response: { 201: one('id') } },
    }, async (request, reply) => {
        const [row] = await run(writes, statements.messageSend, {
            'company': request.key.company,
            'path.channelJid': request.params.channelJid,
            'path.contactJid': request.params.contactJid,
            'id.message': messageId(),
            'id.contact': uuid(),
            'id.conversation': uuid(),
            'body.message': request.body.message,
            'body.message.type': request.body.message.type,
            'key.actor': request.key.actor,
        });
        if (row.refusal !== null) {
            return refuse(request, reply, row.refusal);
        }
        reply.code(201);
        return { id: row.id };
    });

    app.patch('/v3/channels/:channelJid/conversations/:contactJid', {
        schema: { params: jids, body: conversationBody,
                  response: { 200: conversationAnswer } },
    }, async (request, reply) => {
        const { body } = request;
        const [row] = await run(writes, statements.conversationUpdate, {
            'company': request.key.company,
            'path.channelJid': request.params.channelJid,
            'path.contactJid': request.params.contactJid,
            'has.body.assignee': false,
            'has.body.labels': false,
            'has.body.team': false,
            'has.body.status': 'status' in body,
            'body.status': body.status,
            'has.body.unreadCount': 'unreadCount' in body,
            'body.unreadCount': body.unreadCount,
            'key.actor': request.key.actor,
            'id.audit': uuid(),
            'id.audit2': uuid(),
            'address': request.ip,
            'trace': request.trace,
        });
        if (row.refusal !== null) {
            return refuse(request, reply, row.refusal);
        }
        return conversation(row);
    });

    await app.listen({ host: '127.0.0.1', port: Number(PEER_PORT) });
}

if (cluster.isPrimary) {
    cluster.fork();
    cluster.fork();
    cluster.on('exit', () => process.exit(1));
    process.on('SIGTERM', () => {
        cluster.removeAllListeners('exit');
        for (const worker of Object.values(cluster.workers)) {
            worker.process.kill('SIGTERM');
        }
        process.exit(0);
    });
} else {
    await serve();
}
