// Requests of the board to our own API, and refusals as errors that can be shown.

const API = "/api/v1";

/** What the server refuses; `problem` has its shape: code, message, facts, problems. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.message);
    this.status = status;
    this.problem = problem;
  }

  /** Whether somebody else has changed the thing meanwhile. */
  get isStale() {
    return this.status === 412;
  }
}

/**
 * Ask the API.
 *
 * @param {string} method
 * @param {string} path under /api/v1
 * @param {{body?: object, version?: number, signal?: AbortSignal, key?: string}} [options]
 *   `version` goes as If-Match, `key` as Idempotency-Key
 * @returns {Promise<any>} the JSON answered
 * @throws {Refusal}
 */
export async function call(method, path, { body, version, signal, key } = {}) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (version !== undefined) headers["if-match"] = `"${version}"`;
  if (key !== undefined) headers["idempotency-key"] = key;
  const answer = await fetch(API + path, {
    method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const told = text === "" ? null : parsed(text);
  if (!answer.ok) {
    throw new Refusal(answer.status, told?.message ? told : { code: "", message: `${answer.status}`, facts: {}, problems: [] });
  }
  return told;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
