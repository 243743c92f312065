// Asks what our connectors ask, and prints what the clients found to be other than Atlassian documents it.
import { createV1Client } from "confluence.js/v1";
import { createCloudClient } from "jira.js/cloud";

const { url, email, token, page, group, issue } = JSON.parse(process.env.ASKED);
const access = { host: url, auth: { type: "basic", email, apiToken: token } };
const confluence = createV1Client(access);
const jira = createCloudClient(access);
const expand = [
  "version", "ancestors", "container", "history", "extensions", "body.export_view",
  "restrictions.read.restrictions.user", "restrictions.read.restrictions.group",
];

const asked = {
  "content/search": () => confluence.content.searchContentByCQL({ cql: "type in (page, comment, attachment)", expand }),
  "restriction": () => confluence.contentRestrictions.getRestrictionsForOperation({ id: page, operationKey: "read" }),
  "membersByGroupId": () => confluence.group.getGroupMembersByGroupId({ groupId: group }),
  "search/jql": () => jira.issueSearch.searchAndReconsileIssuesUsingJql({ jql: 'created >= "1970-01-02"' }),
  "issue": () => jira.issues.getIssue({ issueIdOrKey: issue, fields: ["comment"], expand: "renderedFields" }),
  "comment": () => jira.issueComments.getComments({ issueIdOrKey: issue }),
  "myself": () => jira.myself.getCurrentUser({}),
};
const found = [];
for (const [name, ask] of Object.entries(asked)) {
  try {
    await ask();
  } catch (error) {
    found.push(`${name}: ${error.message} ${JSON.stringify(error.issues ?? error.cause?.issues ?? "")}`);
  }
}
// Where both clients put what no schema of theirs names.
for (const drift of globalThis[Symbol.for("apis-code-gen.schemaAudit")] ?? []) found.push(JSON.stringify(drift));
console.log(JSON.stringify(found));
