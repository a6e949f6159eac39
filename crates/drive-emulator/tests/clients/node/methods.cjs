// Google's Node client against the emulator. Uploads ignore the address given to the client as a whole, so every
// call that may carry bytes names it again.
const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { createHash } = require('node:crypto');
const { google } = require('googleapis');

const rootUrl = `${process.env.EMULATOR_URL}/`;
const here = { rootUrl };
const FOLDER = 'application/vnd.google-apps.folder';

function client(token) {
  const auth = new google.auth.OAuth2();
  auth.setCredentials({ access_token: token });
  return google.drive({ version: 'v3', auth, rootUrl });
}

async function refused(status, reason, call) {
  await assert.rejects(call, (error) => {
    assert.equal(error.status ?? Number(error.code), status, String(error));
    assert.equal(error.response.data.error.errors[0].reason, reason);
    return true;
  });
}

async function read(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function files(ana) {
  const me = (await ana.about.get({ fields: 'user' })).data.user;
  assert.equal(me.emailAddress, 'ana@example.com');
  const [folder, done] = (await ana.files.generateIds({ count: 2 })).data.ids;
  for (const [id, name] of [[folder, 'novos'], [done, 'processados']]) {
    const made = (await ana.files.create({ requestBody: { id, name, mimeType: FOLDER } }, here)).data;
    assert.deepEqual(made, { kind: 'drive#file', id, name, mimeType: FOLDER });
  }
  await refused(409, 'fileIdInUse', ana.files.create({ requestBody: { id: folder, name: 'novos', mimeType: FOLDER } }, here));

  // Multipart in chunks of transfer coding, from a stream; then only bytes; then new bytes.
  const bytes = Buffer.alloc(600_000, 'ção\r\n--');
  const file = (await ana.files.create({
    requestBody: { name: 'Ordem nº 7.pdf', parents: [folder] },
    media: { mimeType: 'application/pdf', body: Readable.from([bytes.subarray(0, 1000), bytes.subarray(1000)]) },
    fields: 'id,name,size,md5Checksum,parents,mimeType',
  }, here)).data;
  assert.equal(file.md5Checksum, createHash('md5').update(bytes).digest('hex'));
  assert.deepEqual([file.name, file.size, file.parents, file.mimeType], ['Ordem nº 7.pdf', '600000', [folder], 'application/pdf']);
  const bare = (await ana.files.create({ media: { mimeType: 'text/plain', body: 'only bytes' }, fields: 'name,size' }, here)).data;
  assert.deepEqual(bare, { name: 'Untitled', size: '10' });
  const stream = (await ana.files.get({ fileId: file.id, alt: 'media' }, { responseType: 'stream' })).data;
  assert.ok((await read(stream)).equals(bytes));
  const part = await ana.files.get({ fileId: file.id, alt: 'media' }, { responseType: 'arraybuffer', headers: { Range: 'bytes=10-19' } });
  assert.equal(part.status, 206);
  assert.ok(Buffer.from(part.data).equals(bytes.subarray(10, 20)));
  const replaced = (await ana.files.update({ fileId: file.id, media: { mimeType: 'application/pdf', body: 'new' }, fields: 'id,size' }, here)).data;
  assert.deepEqual(replaced, { id: file.id, size: '3' });

  const moved = (await ana.files.update({
    fileId: file.id, addParents: done, removeParents: folder, requestBody: { description: 'visto' }, fields: 'parents,description',
  }, here)).data;
  assert.deepEqual(moved, { parents: [done], description: 'visto' });
  const copy = (await ana.files.copy({ fileId: file.id, requestBody: { name: 'copy.pdf' } })).data;
  const names = [];
  let pageToken;
  do {
    const page = (await ana.files.list({ q: `'${done}' in parents`, pageSize: 1, pageToken, fields: 'nextPageToken,files(name)', orderBy: 'name' })).data;
    names.push(...page.files.map((found) => found.name));
    pageToken = page.nextPageToken;
  } while (pageToken);
  assert.deepEqual(names, ['copy.pdf', 'Ordem nº 7.pdf']);
  assert.equal((await ana.files.delete({ fileId: copy.id })).status, 204);
  await refused(404, 'notFound', ana.files.get({ fileId: copy.id }));
  await refused(400, 'invalid', ana.files.list({ q: 'name is what' }));
  return file.id;
}

async function others(ana, bea, file) {
  const granted = (await ana.permissions.create({
    fileId: file, sendNotificationEmail: false, requestBody: { type: 'user', role: 'writer', emailAddress: 'bea@example.com' },
  })).data;
  assert.equal((await bea.files.get({ fileId: file, fields: 'ownedByMe' })).data.ownedByMe, false);
  const listed = (await ana.permissions.list({ fileId: file, fields: 'permissions(emailAddress,role)' })).data.permissions;
  assert.deepEqual(listed.map((entry) => entry.role).sort(), ['owner', 'writer']);

  const token = (await bea.changes.getStartPageToken()).data.startPageToken;
  await ana.permissions.delete({ fileId: file, permissionId: granted.id });
  const page = (await bea.changes.list({ pageToken: token, fields: '*' })).data;
  assert.deepEqual(page.changes.map((change) => [change.fileId, change.removed]), [[file, true]]);
  assert.ok(page.newStartPageToken && !page.nextPageToken);

  const drive = (await ana.drives.create({ requestId: 'once', requestBody: { name: 'Field' } })).data;
  const inside = (await ana.files.create({ supportsAllDrives: true, requestBody: { name: 'in.txt', parents: [drive.id] }, media: { body: 'x' } }, here)).data;
  assert.equal(inside.driveId, drive.id);
  const revisions = (await ana.revisions.list({ fileId: file, fields: 'revisions(size)' })).data.revisions;
  assert.deepEqual(revisions.map((revision) => revision.size), ['600000', '3']);
  await refused(401, 'authError', client('made up').about.get({ fields: 'user' }));
}

async function main() {
  const ana = client(process.env.TOKEN);
  const file = await files(ana);
  await others(ana, client(process.env.TOKEN_BEA), file);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
