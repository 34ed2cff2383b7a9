// Plays Telegram's side by npm `telegram-test-api`, and a customer on it:
//   node telegram.js NODE_MODULES PORT TOKEN
// Each line of standard input is something that the customer does, as JSON: {"chat": 1, "say": "bonjour"}, "command", "share"
// (latitude and longitude), or "press" (the label of a button, under "message": what the bot had sent).
// tests/e2e/test_telegram.py says what must come of it.
"use strict";

const path = require("node:path");
const readline = require("node:readline");
const [, , modules, port, token] = process.argv;
const load = (name) => require(path.resolve(modules, name));
const { TelegramServer } = load("telegram-test-api/lib/telegramServer");
const axios = load("axios");

const server = new TelegramServer({ port: Number(port), host: "127.0.0.1", storeTimeout: 600 });

// Telegram posts the secret that setWebhook named; this server knows it and leaves it out.
axios.interceptors.request.use((request) => {
  const webhook = server.webhooks[token];
  if (webhook && request.url === webhook.url) {
    request.headers = { ...request.headers, "X-Telegram-Bot-Api-Secret-Token": webhook.secret_token };
  }
  return request;
});

// A refused webhook is an error that nobody waits for: it is told, and the test sees that no answer comes.
process.on("unhandledRejection", (error) => console.error(String(error)));

async function act({ chat, say, command, share, press, message }) {
  const client = server.getClient(token, { chatId: chat, userId: chat, firstName: "Lou" });
  if (say !== undefined) return client.sendMessage(client.makeMessage(say));
  if (command !== undefined) return client.sendCommand(client.makeCommand(command));
  if (share !== undefined) {
    const [latitude, longitude] = share;
    return client.sendMessage(client.makeMessage(undefined, { location: { latitude, longitude } }));
  }
  const { inline_keyboard: rows } = message.reply_markup;
  const { callback_data: data } = rows.flat().find((button) => button.text === press);
  const pressed = { message_id: 1, date: 1, text: message.text, reply_markup: message.reply_markup };
  return client.sendCallback(client.makeCallbackQuery(data, { message: pressed }));
}

server.start().then(() => {
  console.log("ready");
  readline.createInterface({ input: process.stdin }).on("line", (line) => act(JSON.parse(line)));
});
