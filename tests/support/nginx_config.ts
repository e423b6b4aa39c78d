/**
 * What every configuration of nginx here begins with: one process that writes nowhere but in its
 * folder and on standard error.
 *
 * @module
 */

/** A configuration whose `http` block has this to say besides. */
export function nginxConfig(folder: string, http: string, connections = 512): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n  ");
  return `daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr error;
events { worker_connections ${connections}; }
http {
  access_log off;
  ${temporary}
  ${http}
}
`;
}
